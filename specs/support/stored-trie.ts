/** A trie kept in a map, as a database would keep it: for specs. */
import { EMPTY_TRIE_ROOT, type NodeAtPath, type TrieEntry, updateTrie } from "../../vm/state/trie.ts";

export class StoredTrie {
  root = EMPTY_TRIE_ROOT;
  readonly nodes = new Map<string, Uint8Array>();
  readonly nodeAt: NodeAtPath = (path) => this.nodes.get(path);

  update(entries: readonly TrieEntry[]): void {
    const update = updateTrie(this.nodeAt, entries);
    this.root = update.root;
    for (const [path, node] of update.nodes) {
      if (node === null) this.nodes.delete(path);
      else this.nodes.set(path, node);
    }
  }

  sortedNodes(): readonly (readonly [string, Uint8Array])[] {
    return [...this.nodes].toSorted(([a], [b]) => (a < b ? -1 : 1));
  }
}
