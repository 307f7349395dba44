/** Three blocks with a transaction of each type, for specs of what is told about them. */
import { EMPTY_BYTES, fromHex, toHash, toHex } from "../../primitives/bytes.ts";
import type { UnsignedTransaction } from "../../vm/transaction-codec.ts";
import { signTransaction } from "../../vm/transaction-signature.ts";
import { accounts, config, GWEI, keys, signed } from "../support/execution-chain.ts";
import { COUNTER, LOGGER, REVERTER } from "../support/live-chain.ts";
import type { RpcFixture } from "./rpc-fixture.ts";

const BOB = accounts[1]!;
/** What the second block logs. */
export const LOGGED_WORD = `0x${"00".repeat(31)}07` as const;

export const legacy = (nonce: bigint, fields: object = {}) =>
  signTransaction(
    {
      type: 0,
      chainId: config.chainId,
      nonce,
      gasPrice: 5n * GWEI,
      gasLimit: 21_000n,
      to: BOB,
      value: 1n,
      data: EMPTY_BYTES,
      ...fields,
    } as UnsignedTransaction,
    keys[0]!,
  );

const accessList = (nonce: bigint) =>
  signTransaction(
    {
      type: 1,
      chainId: config.chainId,
      nonce,
      gasPrice: 5n * GWEI,
      gasLimit: 60_000n,
      to: BOB,
      value: 1n,
      data: EMPTY_BYTES,
      accessList: [{ address: LOGGER, storageKeys: [toHash(0n)] }],
    },
    keys[0]!,
  );

/** Three blocks: transfers of each type; a log, a revert, a counter; nothing. The second is final. */
export async function history({ live, ask }: RpcFixture) {
  const first = [legacy(0n), accessList(1n), signed(0, { nonce: 2n, to: BOB, value: 1n })];
  const second = [
    signed(0, { nonce: 3n, to: LOGGER, data: fromHex(LOGGED_WORD), gasLimit: 100_000n }),
    signed(0, { nonce: 4n, to: REVERTER, gasLimit: 100_000n }),
    signed(0, { nonce: 5n, to: COUNTER, data: Uint8Array.of(5), gasLimit: 100_000n }),
    signed(0, {
      nonce: 6n,
      to: undefined,
      data: fromHex(toHex(new TextEncoder().encode("miser"))),
      gasLimit: 200_000n,
    }),
  ];
  const blocks = [];
  for (const transactions of [first, second, []]) {
    for (const { raw } of transactions) await ask("eth_sendRawTransaction", toHex(raw));
    blocks.push(await live.mine());
  }
  live.setHead(blocks[2]!, blocks[1]!);
  await live.indexer.catchUp();
  return { blocks, first, second };
}
