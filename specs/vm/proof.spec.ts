/** Spec of vm/state/trie-proof.ts and proof.ts: what a proof shows, and what it cannot be made to show. */
import { deepEqual, equal, throws } from "node:assert/strict";
import fc from "fast-check";
import { type Address, fromHex, type Hash, toHash, utf8ToBytes } from "../../primitives/bytes.ts";
import { CodedError } from "../../primitives/errors.ts";
import { decodeBlock } from "../../vm/block-codec.ts";
import { EMPTY_CODE_HASH, NO_ACCOUNT } from "../../vm/state/account-codec.ts";
import { proveAccount, verifyAccountProof, verifyStorageProof } from "../../vm/state/proof.ts";
import { EMPTY_TRIE_ROOT } from "../../vm/state/trie.ts";
import { proveKey, verifyProof } from "../../vm/state/trie-proof.ts";
import { chainBlocks, exchangesOf, type Json } from "../support/execution-apis.ts";
import { MemoryState } from "../support/memory-state.ts";
import { StoredTrie } from "../support/stored-trie.ts";

const proofOf = (json: Json | undefined) => [...(json as readonly Json[])].map((node) => fromHex(node));

describe("proof: execution-apis", () => {
  it("verifies every answer of eth_getProof against the header of the head", function () {
    const { stateRoot } = decodeBlock(chainBlocks(this).at(-1)!).header;
    const counted = { accounts: 0, slots: 0 };
    for (const { result } of exchangesOf(this, "eth_getProof")) {
      const address = result!["address"] as unknown as Address;
      const account = verifyAccountProof(stateRoot, address, proofOf(result!["accountProof"]));
      deepEqual(account, {
        nonce: BigInt(result!["nonce"]!),
        balance: BigInt(result!["balance"]!),
        storageRoot: result!["storageHash"],
        codeHash: result!["codeHash"],
      });
      counted.accounts++;
      for (const { key, value, proof } of result!["storageProof"] as unknown as readonly Record<
        string,
        Json
      >[]) {
        const slot = toHash(BigInt(key as unknown as string));
        equal(verifyStorageProof(account!.storageRoot, slot, proofOf(proof)), BigInt(value!));
        counted.slots++;
      }
    }
    deepEqual(counted, { accounts: 4, slots: 1 });
  });
});

describe("proof: laws", () => {
  const key = fc.string({ unit: fc.constantFrom("0", "1", "a"), minLength: 6, maxLength: 6 });
  const entries = fc.uniqueArray(fc.record({ key, value: fc.uint8Array({ minLength: 1, maxLength: 40 }) }), {
    selector: (entry) => entry.key,
    maxLength: 20,
  });

  it("shows of every key the value it has, or that it has none", () => {
    fc.assert(
      fc.property(entries, key, (all, other) => {
        const trie = new StoredTrie();
        trie.update(all);
        const expected = new Map(all.map((entry) => [entry.key, entry.value]));
        for (const asked of [...expected.keys(), other]) {
          deepEqual(verifyProof(trie.root, asked, proveKey(trie.nodeAt, asked)), expected.get(asked));
        }
      }),
    );
  });

  it("never shows anything else, however its nodes are altered", () => {
    fc.assert(
      fc.property(entries, key, fc.nat(), fc.nat(), fc.nat(255), (all, asked, node, at, byte) => {
        const trie = new StoredTrie();
        trie.update(all);
        const honest = proveKey(trie.nodeAt, asked);
        const proof = honest.map((rlp) => rlp.slice());
        const altered = proof[node % Math.max(1, proof.length)];
        if (altered !== undefined) altered[at % altered.length] = byte;
        try {
          deepEqual(verifyProof(trie.root, asked, proof), verifyProof(trie.root, asked, honest));
        } catch (error) {
          equal(error instanceof CodedError, true);
        }
      }),
    );
  });
});

describe("proof: refusals", () => {
  const trie = new StoredTrie();
  trie.update(["1234", "1255", "1666"].map((key) => ({ key, value: utf8ToBytes("v".repeat(40) + key) })));
  const proof = proveKey(trie.nodeAt, "1234");

  it("refuses a node that is not the one named, one too few and one too many", () => {
    equal(proof.length, 4);
    throws(() => verifyProof(trie.root, "1234", proof.toReversed()), {
      detail: { code: "PROOF_WRONG_NODE", index: 0 },
    });
    throws(() => verifyProof(trie.root, "1234", proof.slice(0, -1)), {
      detail: { code: "PROOF_TOO_SHORT", expectedAtLeast: 4 },
    });
    throws(() => verifyProof(trie.root, "1234", [...proof, proof[0]!]), {
      detail: { code: "PROOF_TOO_LONG", used: 4 },
    });
    throws(() => verifyProof(trie.root, "1234", []), {
      detail: { code: "PROOF_TOO_SHORT", expectedAtLeast: 1 },
    });
  });

  it("needs no node to show that an empty trie has no value", () => {
    equal(verifyProof(EMPTY_TRIE_ROOT, "1234", []), undefined);
    deepEqual(proveKey(new StoredTrie().nodeAt, "1234"), []);
  });
});

describe("proof: accounts", () => {
  const address = (n: number): Address => `0x${n.toString(16).padStart(40, "0")}`;
  const slot = (n: number): Hash => toHash(BigInt(n));
  const state = MemoryState.of(
    new Map(
      Array.from({ length: 40 }, (_, i) => [
        address(i + 1),
        {
          balance: BigInt(i),
          nonce: 1n,
          storage: new Map([
            [slot(i), 5n],
            [slot(i + 1), 6n],
          ]),
        },
      ]),
    ),
  );

  it("proves an account, its slots, and slots it never wrote", () => {
    const { account, accountProof, storageProof } = proveAccount(state, address(7), [
      slot(6),
      slot(7),
      slot(99),
    ]);
    deepEqual(verifyAccountProof(state.stateRoot, address(7), accountProof), account);
    deepEqual([account.balance, account.codeHash], [6n, EMPTY_CODE_HASH]);
    deepEqual(
      storageProof.map(({ slot, value, proof }) => [
        value,
        verifyStorageProof(account.storageRoot, slot, proof),
      ]),
      [
        [5n, 5n],
        [6n, 6n],
        [0n, 0n],
      ],
    );
  });

  it("proves that an account is not there", () => {
    const { account, accountProof, storageProof } = proveAccount(state, address(999), [slot(0)]);
    deepEqual(account, NO_ACCOUNT);
    equal(verifyAccountProof(state.stateRoot, address(999), accountProof), undefined);
    deepEqual(storageProof, [{ slot: slot(0), value: 0n, proof: [] }]);
  });
});
