import { deepEqual, equal, match } from "node:assert/strict";
import type { Database } from "../../node/storage/database.ts";
import { verifyStoredState } from "../../node/storage/verify-state.ts";
import { compareBytes } from "../../primitives/bytes.ts";
import { withScratchDatabase } from "../support/scratch-database.ts";
import { fixtureOn, GENESIS, transferOf } from "./execution-fixture.ts";

/** A chain of three blocks, all final. */
async function withFinalState(body: (database: Database) => void): Promise<void> {
  await withScratchDatabase("execution", async (database) => {
    const { port, extend } = fixtureOn(database);
    let head = GENESIS.block.hash;
    for (let nonce = 0; nonce < 3; nonce++) head = await extend(head, [transferOf(0, nonce)]);
    await port.setForkchoice({ head, safe: head, finalized: head });
    body(database);
  });
}

describe("verification of a stored state", () => {
  it("finds nothing wrong with what merges wrote", async () => {
    await withFinalState((database) => deepEqual(verifyStoredState(database), []));
  });

  it("finds a changed account, a missing one, a missing node and a node too many", async () => {
    for (const damage of ["change", "account", "node", "extra"]) {
      await withFinalState((database) => {
        const accounts = database.table("accounts");
        const trie = database.table("trie");
        const [first, ...rest] = [...accounts.range({})];
        const other = rest.find(({ value }) => compareBytes(value, first!.value) !== 0);
        const [node] = [...trie.range({})];
        database.write(() => {
          if (damage === "change") accounts.put(first!.key, other!.value);
          else if (damage === "account") accounts.remove(first!.key);
          else if (damage === "node") trie.remove(node!.key);
          else trie.put(Uint8Array.of(0, 64, ...new Uint8Array(32)), node!.value);
        });
        const [found = "", ...more] = verifyStoredState(database);
        match(found, damage === "node" || damage === "extra" ? /trie node/ : /the trie node|root/);
        equal(more.length > 0 || damage === "extra", true);
      });
    }
  });
});
