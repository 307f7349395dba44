/** How fast blocks of native transfers execute: senders known, state in memory, the root included. */
import type { Address } from "../primitives/bytes.ts";
import { EMPTY_BYTES, toHash, ZERO_HASH } from "../primitives/bytes.ts";
import { ETHER, ExecutionChain, GWEI } from "../specs/support/execution-chain.ts";
import { applyTransaction, beginBlock, finishBlock } from "../vm/block-execution.ts";
import type { RecoveredTransaction } from "../vm/transaction.ts";
import { medianSeconds } from "./median.ts";

const SENDERS = 2_000;
const RECIPIENTS = 5_000;

const sender = (n: number): Address => `0x${(0xabc000 + n).toString(16).padStart(40, "0")}`;
const recipient = (n: number): Address => `0x${(0xdef000 + n).toString(16).padStart(40, "0")}`;

/** Transfers per second, from recovered transactions to state root and receipts. */
export function executeTransfers(count = 20_000): number {
  const allocation = new Map(
    Array.from({ length: SENDERS }, (_, n) => [sender(n), { balance: 100n * ETHER }]),
  );
  const chain = new ExecutionChain(allocation);
  const transactions = Array.from({ length: count }, (_, i) => transfer(i, chain.config.chainId));
  const { parent, state, machine, config } = chain;
  const opening = {
    ...chain.attributes(),
    parentHash: ZERO_HASH,
    number: parent.number + 1,
    gasLimit: 2n ** 40n,
    baseFeePerGas: GWEI,
  };
  return (
    count /
    medianSeconds(() => {
      const execution = beginBlock(config, opening, state, machine, () => toHash(0n));
      for (const transaction of transactions) applyTransaction(execution, transaction);
      finishBlock(execution, []);
    })
  );
}

/** Signature and raw bytes are not read by execution, so these transactions have none. */
function transfer(i: number, chainId: bigint): RecoveredTransaction {
  return {
    sender: sender(i % SENDERS),
    hash: ZERO_HASH,
    raw: EMPTY_BYTES,
    transaction: {
      type: 2,
      chainId,
      nonce: BigInt(Math.floor(i / SENDERS)),
      gasLimit: 21_000n,
      maxFeePerGas: 10n * GWEI,
      maxPriorityFeePerGas: GWEI,
      to: recipient((i * 7) % RECIPIENTS),
      value: 1n,
      data: EMPTY_BYTES,
      accessList: [],
      yParity: 0,
      r: 1n,
      s: 1n,
    },
  };
}
