/** What the pool shows of itself. Prose: methods.md#pool. */
import { deepEqual, equal } from "node:assert/strict";
import { toChecksumAddress } from "../../primitives/address.ts";
import { toHex } from "../../primitives/bytes.ts";
import { accounts, GWEI, signed } from "../support/execution-chain.ts";
import { LOGGER } from "../support/live-chain.ts";
import { type RpcFixture, withRpc } from "./rpc-fixture.ts";

const [ALICE, BOB, CAROL] = [accounts[0]!, accounts[1]!, accounts[2]!];

/** Alice's first two are ready, her fifth and Bob's second wait for others. */
async function fill({ ask }: RpcFixture) {
  const sent = [
    signed(0, { nonce: 0n, to: BOB, value: 3n }),
    signed(0, { nonce: 1n, to: undefined, gasLimit: 90_000n, data: Uint8Array.of(1) }),
    signed(0, { nonce: 5n, to: LOGGER }),
    signed(1, { nonce: 1n, to: BOB }),
  ];
  for (const { raw } of sent) await ask("eth_sendRawTransaction", toHex(raw));
  return sent;
}

describe("rpc methods: the pool", () => {
  it("counts what is ready and what waits", async () => {
    await withRpc(async (fixture) => {
      deepEqual(await fixture.ask("txpool_status"), { pending: "0x0", queued: "0x0" });
      await fill(fixture);
      deepEqual(await fixture.ask("txpool_status"), { pending: "0x2", queued: "0x2" });
      await fixture.live.mine();
      deepEqual(await fixture.ask("txpool_status"), { pending: "0x0", queued: "0x2" });
    });
  });

  it("shows whole transactions by checksummed sender and decimal nonce", async () => {
    await withRpc(async (fixture) => {
      deepEqual(await fixture.ask("txpool_content"), { pending: {}, queued: {} });
      const sent = await fill(fixture);
      const [first, second, far, gapped] = await Promise.all(
        sent.map(({ hash }) => fixture.ask("eth_getTransactionByHash", hash)),
      );
      deepEqual(await fixture.ask("txpool_content"), {
        pending: { [toChecksumAddress(ALICE)]: { 0: first, 1: second } },
        queued: { [toChecksumAddress(ALICE)]: { 5: far }, [toChecksumAddress(BOB)]: { 1: gapped } },
      });
      deepEqual(await fixture.ask("txpool_contentFrom", ALICE), {
        pending: { 0: first, 1: second },
        queued: { 5: far },
      });
      deepEqual(await fixture.ask("txpool_contentFrom", CAROL), { pending: {}, queued: {} });
    });
  });

  it("sums each up in geth's line", async () => {
    await withRpc(async (fixture) => {
      const sent = await fill(fixture);
      const { transaction } = sent[0]!;
      equal(transaction.type, 2);
      const fee = 10n * GWEI;
      deepEqual(await fixture.ask("txpool_inspect"), {
        pending: {
          [toChecksumAddress(ALICE)]: {
            0: `${toChecksumAddress(BOB)}: 3 wei + ${transaction.gasLimit} gas × ${fee} wei`,
            1: `contract creation: 0 wei + 90000 gas × ${fee} wei`,
          },
        },
        queued: {
          [toChecksumAddress(ALICE)]: {
            5: `${toChecksumAddress(LOGGER)}: 0 wei + ${transaction.gasLimit} gas × ${fee} wei`,
          },
          [toChecksumAddress(BOB)]: {
            1: `${toChecksumAddress(BOB)}: 0 wei + ${transaction.gasLimit} gas × ${fee} wei`,
          },
        },
      });
    });
  });

  it("refuses to show the pool of what is no address", async () => {
    await withRpc(async ({ refuse }) => equal((await refuse("txpool_contentFrom", "0x12")).code, -32602));
  });
});
