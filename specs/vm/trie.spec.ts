/** Spec of vm/state/trie.ts: external vectors and a comparison with a naive trie. */
import { deepEqual, equal } from "node:assert/strict";
import fc from "fast-check";
import { EMPTY_BYTES, fromHex, type Hash, toHex, utf8ToBytes } from "../../primitives/bytes.ts";
import { keccak256 } from "../../primitives/hash.ts";
import { encodeRlp, type RlpItem } from "../../primitives/rlp.ts";
import {
  computeTrieRoot,
  EMPTY_TRIE_ROOT,
  noNodes,
  type TrieEntry,
  updateTrie,
} from "../../vm/state/trie.ts";
import { StoredTrie } from "../support/stored-trie.ts";
import { readJson, vectorsPath } from "../support/vectors.ts";

type TrieCase = {
  readonly in: readonly (readonly [string, string | null])[] | Record<string, string | null>;
  readonly root: Hash;
};

const bytesOf = (text: string) => (text.startsWith("0x") ? fromHex(text) : utf8ToBytes(text));
const plainKey = (text: string) => toHex(bytesOf(text)).slice(2);
const secureKey = (text: string) => toHex(keccak256(bytesOf(text))).slice(2);

function operationsOf(trieCase: TrieCase, keyOf: (text: string) => string): TrieEntry[] {
  const pairs = Array.isArray(trieCase.in) ? trieCase.in : Object.entries(trieCase.in);
  return pairs.map(([key, value]) => ({
    key: keyOf(key),
    value: value === null ? undefined : bytesOf(value),
  }));
}

function lastPerKey(operations: readonly TrieEntry[]): TrieEntry[] {
  return [...new Map(operations.map((entry) => [entry.key, entry])).values()];
}

describe("trie: external vectors", () => {
  const files = [
    { file: "trietest.json", keyOf: plainKey, cases: 5 },
    { file: "trieanyorder.json", keyOf: plainKey, cases: 7 },
    { file: "trietest_secureTrie.json", keyOf: secureKey, cases: 3 },
    { file: "trieanyorder_secureTrie.json", keyOf: secureKey, cases: 7 },
    { file: "hex_encoded_securetrie_test.json", keyOf: secureKey, cases: 3 },
  ];
  for (const { file, keyOf, cases } of files) {
    it(`has the root of every case in TrieTests/${file}, entry by entry and in one pass`, function () {
      const vectors = readJson<Record<string, TrieCase>>(
        vectorsPath(this, "ethereum-tests", "TrieTests", file),
      );
      for (const [name, trieCase] of Object.entries(vectors)) {
        const operations = operationsOf(trieCase, keyOf);
        const trie = new StoredTrie();
        for (const operation of operations) trie.update([operation]);
        equal(trie.root, trieCase.root, name);
        equal(updateTrie(noNodes, lastPerKey(operations)).root, trieCase.root, name);
        equal(
          computeTrieRoot(lastPerKey(operations).filter(({ value }) => value !== undefined)),
          trieCase.root,
          name,
        );
      }
      equal(Object.keys(vectors).length, cases);
    });
  }
});

describe("trie: updates", () => {
  const value = (n: number) => utf8ToBytes("v".repeat(1 + (n % 40)) + n);

  it("is empty when everything was deleted, and leaves no node behind", () => {
    const trie = new StoredTrie();
    trie.update(["1234", "1235", "12ff", "77aa"].map((key, i) => ({ key, value: value(i * 13) })));
    trie.update(["1234", "1235", "12ff", "77aa"].map((key) => ({ key, value: undefined })));
    equal(trie.root, EMPTY_TRIE_ROOT);
    deepEqual([...trie.nodes.keys()], []);
  });

  it("writes nothing when nothing changes", () => {
    const trie = new StoredTrie();
    const entries = ["1234", "1235", "12ff", "77aa"].map((key, i) => ({ key, value: value(i * 13) }));
    trie.update(entries);
    deepEqual(updateTrie(trie.nodeAt, entries), { root: trie.root, nodes: new Map() });
    deepEqual(updateTrie(trie.nodeAt, [{ key: "1236", value: undefined }]).nodes, new Map());
  });

  it("keeps a node shorter than 32 bytes in its parent only", () => {
    const trie = new StoredTrie();
    trie.update([
      { key: "1111", value: utf8ToBytes("a") },
      { key: "1122", value: utf8ToBytes("b") },
    ]);
    deepEqual([...trie.nodes.keys()], [""]);
  });

  // Few nibbles and short keys make shared prefixes, collapses and embedded nodes frequent.
  const key = fc.string({ unit: fc.constantFrom("0", "1", "a"), minLength: 6, maxLength: 6 });
  const batch = fc.uniqueArray(
    fc.record({ key, value: fc.option(fc.uint8Array({ minLength: 1, maxLength: 40 }), { nil: undefined }) }),
    { selector: (entry) => entry.key, maxLength: 12 },
  );

  it("agrees with a trie built anew from what is left, in root and in stored nodes", () => {
    fc.assert(
      fc.property(fc.array(batch, { maxLength: 8 }), (batches) => {
        const trie = new StoredTrie();
        const model = new Map<string, Uint8Array>();
        for (const entries of batches) {
          trie.update(entries);
          for (const entry of entries) {
            if (entry.value === undefined) model.delete(entry.key);
            else model.set(entry.key, entry.value);
          }
          const anew = new StoredTrie();
          anew.update([...model].map(([key, value]) => ({ key, value })));
          equal(trie.root, naiveRoot(model));
          equal(trie.root, anew.root);
          deepEqual(trie.sortedNodes(), anew.sortedNodes());
        }
      }),
      { numRuns: 300 },
    );
  });
});

/** The definition in the Yellow Paper, appendix D, followed word for word. */
function naiveRoot(model: ReadonlyMap<string, Uint8Array>): Hash {
  const pairs = [...model].map(([key, value]) => ({ key, value }));
  return pairs.length === 0 ? EMPTY_TRIE_ROOT : toHex(keccak256(encodeRlp(naiveNode(pairs, 0))));
}

function naiveNode(pairs: readonly { key: string; value: Uint8Array }[], depth: number): RlpItem {
  const [first] = pairs;
  if (pairs.length === 1) return [hexPrefix(first!.key.slice(depth), 2), first!.value];
  let shared = depth;
  while (pairs.every(({ key }) => key.length > shared && key[shared] === first!.key[shared])) shared++;
  if (shared > depth) return [hexPrefix(first!.key.slice(depth, shared), 0), naiveMember(pairs, shared)];
  const children = [..."0123456789abcdef"].map((nibble) =>
    naiveMember(
      pairs.filter(({ key }) => key[depth] === nibble),
      depth + 1,
    ),
  );
  return [...children, pairs.find(({ key }) => key.length === depth)?.value ?? EMPTY_BYTES];
}

function naiveMember(pairs: readonly { key: string; value: Uint8Array }[], depth: number): RlpItem {
  if (pairs.length === 0) return EMPTY_BYTES;
  const node = naiveNode(pairs, depth);
  const rlp = encodeRlp(node);
  return rlp.length < 32 ? node : keccak256(rlp);
}

function hexPrefix(path: string, flag: number): Uint8Array {
  return fromHex(path.length % 2 === 1 ? `0x${flag + 1}${path}` : `0x${flag}0${path}`);
}
