/** Proofs that a key has a value in a trie, or has none. See specs/vm/trie.md#proofs. */
import { equalBytes, fromHex, type Hash } from "../../primitives/bytes.ts";
import { CodedError } from "../../primitives/errors.ts";
import { keccak256 } from "../../primitives/hash.ts";
import { EMPTY_TRIE_ROOT, type NodeAtPath } from "./trie.ts";
import { decodeNode, isStoredReference, nibbleAt, type TrieChild, type TrieNode } from "./trie-node.ts";

export type ProofErrorDetail =
  | { readonly code: "PROOF_WRONG_NODE"; readonly index: number }
  | { readonly code: "PROOF_TOO_SHORT"; readonly expectedAtLeast: number }
  | { readonly code: "PROOF_TOO_LONG"; readonly used: number };

/** Nodes that do not lead from the root to where the key is or would be. */
export class ProofError extends CodedError<ProofErrorDetail> {}

/**
 * RLP of the nodes from the root to where the key's value is or would be. Nodes inside their parent are not
 * listed again; the proof of anything in an empty trie is empty.
 */
export function proveKey(nodeAt: NodeAtPath, key: string): readonly Uint8Array[] {
  const proof: Uint8Array[] = [];
  walk(key, (path) => {
    const rlp = nodeAt(path);
    if (rlp !== undefined) proof.push(rlp);
    return rlp;
  });
  return proof;
}

/**
 * The value a proof shows, or undefined when it shows that the key has none.
 * @throws ProofError, or TrieNodeError when the root's owner committed to what is no trie.
 */
export function verifyProof(root: Hash, key: string, proof: readonly Uint8Array[]): Uint8Array | undefined {
  let used = 0;
  let expected = fromHex(root);
  const value = walk(key, (_path, reference) => {
    if (reference !== undefined) expected = reference.subarray(1);
    const rlp = proof[used];
    if (rlp === undefined) {
      if (used === 0 && root === EMPTY_TRIE_ROOT) return undefined;
      throw new ProofError({ code: "PROOF_TOO_SHORT", expectedAtLeast: used + 1 });
    }
    if (!equalBytes(keccak256(rlp), expected))
      throw new ProofError({ code: "PROOF_WRONG_NODE", index: used });
    used++;
    return rlp;
  });
  if (used !== proof.length) throw new ProofError({ code: "PROOF_TOO_LONG", used });
  return value;
}

/** Follows the key down; `load` gives the RLP of the node at a path that its parent names by `reference`. */
function walk(
  key: string,
  load: (path: string, reference: Uint8Array | undefined) => Uint8Array | undefined,
): Uint8Array | undefined {
  const root = load("", undefined);
  // The one empty node there is: the root of an empty trie, as some provers spell it.
  if (root === undefined || (root.length === 1 && root[0] === 0x80)) return undefined;
  let node: TrieNode = decodeNode(root);
  for (let depth = 0; ; ) {
    const child = stepFrom(node, key, depth);
    if (child === undefined || "value" in child) return child?.value;
    depth += child.length;
    const { next } = child;
    if (!(next instanceof Uint8Array)) node = next;
    else if (!isStoredReference(next)) node = decodeNode(next);
    else {
      const rlp = load(key.slice(0, depth), next);
      if (rlp === undefined) return undefined;
      node = decodeNode(rlp);
    }
  }
}

type Step =
  | { readonly value: Uint8Array | undefined }
  | { readonly next: TrieChild; readonly length: number };

/** Where the key goes from a node at `depth`; undefined when nowhere. */
function stepFrom(node: TrieNode, key: string, depth: number): Step | undefined {
  switch (node.kind) {
    case "leaf":
      return key.slice(depth) === node.path ? { value: node.value } : undefined;
    case "extension":
      return key.startsWith(node.path, depth) ? { next: node.child, length: node.path.length } : undefined;
    case "branch": {
      if (key.length === depth) return { value: node.value };
      const next = node.children[nibbleAt(key, depth)];
      return next === undefined ? undefined : { next, length: 1 };
    }
  }
}
