/** An execution chain on disk for specs: funded accounts, plain transfers, a pool that is a queue. */
import { DEVNET_PARAMS } from "../../consensus/presets.ts";
import { ExecutionChain } from "../../node/execution/execution-chain.ts";
import { createExecutionService, type TransactionPool } from "../../node/execution/execution-service.ts";
import type { BuiltPayload, ExecutionPort, PayloadToExecute } from "../../node/execution/port.ts";
import type { Database } from "../../node/storage/database.ts";
import {
  type Address,
  bytesToBigInt,
  EMPTY_BYTES,
  fromHex,
  type Hash,
  toHex,
} from "../../primitives/bytes.ts";
import type { TransactionSource } from "../../vm/build-payload.ts";
import { buildGenesis } from "../../vm/genesis.ts";
import type { Frame, MessageResult } from "../../vm/message.ts";
import type { RecoveredTransaction } from "../../vm/transaction.ts";
import { config, fundedAllocation, signed, sourceOf } from "../support/execution-chain.ts";
import { end, ScriptedMachine } from "../support/scripted-machine.ts";
import { hashOf } from "./model-state.ts";

export const RECIPIENT: Address = `0x${"ee".repeat(20)}`;
/** A contract that logs the hash of the block whose number it is called with. */
export const HASH_TELLER: Address = `0x${"aa".repeat(20)}`;
const HASH_TELLER_CODE = Uint8Array.of(1);

export const GENESIS = buildGenesis({
  allocation: fundedAllocation(new Map([[HASH_TELLER, { balance: 0n, code: HASH_TELLER_CODE }]])),
  timestamp: 1_700_000_000,
  gasLimit: 30_000_000n,
});

function tellHash({ context, data, gas, self }: Frame): MessageResult {
  const hash = context.block.blockHash(Number(bytesToBigInt(data)));
  context.journal.addLog({ address: self, topics: [], data: fromHex(hash) });
  return end("success", gas);
}

export function openChain(database: Database, historyBlocks?: number): ExecutionChain {
  return new ExecutionChain({
    database,
    config,
    genesis: GENESIS,
    machine: new ScriptedMachine().add(HASH_TELLER_CODE, tellHash),
    ...(historyBlocks !== undefined && { historyBlocks }),
  });
}

/** One wei to the recipient: the sender's transaction number `nonce`. */
export function transferOf(sender: number, nonce: number): RecoveredTransaction {
  return signed(sender, { nonce: BigInt(nonce), to: RECIPIENT, value: 1n });
}

/** A call of the hash teller. */
export function askHash(sender: number, nonce: number, blockNumber: number): RecoveredTransaction {
  const data = Uint8Array.of(blockNumber);
  return signed(sender, { nonce: BigInt(nonce), to: HASH_TELLER, data, gasLimit: 100_000n });
}

/** Offers what was put in `waiting`, in that order, to every block. */
export class QueuePool implements TransactionPool {
  waiting: readonly RecoveredTransaction[] = [];

  get(hash: Hash): RecoveredTransaction | undefined {
    return this.waiting.find((transaction) => transaction.hash === hash);
  }

  best(): TransactionSource {
    return sourceOf(this.waiting);
  }

  status(): { pending: number; queued: number } {
    return { pending: this.waiting.length, queued: 0 };
  }
}

export type Fixture = {
  readonly chain: ExecutionChain;
  readonly port: ExecutionPort;
  readonly pool: QueuePool;
  /** Builds on `parentHash` with these transactions; `salt` makes siblings differ. Does not import. */
  build(parentHash: Hash, transactions?: readonly RecoveredTransaction[], salt?: number): Promise<Proposal>;
  /** Builds and imports; the new block's hash. */
  extend(parentHash: Hash, transactions?: readonly RecoveredTransaction[], salt?: number): Promise<Hash>;
};

export type Proposal = PayloadToExecute & { readonly built: BuiltPayload; readonly hash: Hash };

export function fixtureOn(database: Database, historyBlocks?: number): Fixture {
  const chain = openChain(database, historyBlocks);
  const pool = new QueuePool();
  const port = createExecutionService({
    chain,
    params: DEVNET_PARAMS,
    pool,
    admitGossip: async ({ raws }) => raws.map(() => "ignore"),
    nowMs: () => 0,
    readMetrics: async () => [],
    onConsensusStatus: () => undefined,
    onLivePicture: () => undefined,
    onStop: () => database.close(),
  });
  const build: Fixture["build"] = async (parentHash, transactions = [], salt = 0) => {
    pool.waiting = transactions;
    const parent = chain.blocks.get(parentHash)!;
    const built = await port.buildPayload({
      parentHash,
      timestamp: parent.header.timestamp + 1,
      prevRandao: hashOf(salt),
      feeRecipient: `0x${"fe".repeat(20)}`,
      withdrawals: [
        { index: parent.header.number, validatorIndex: 3, address: fromHex(RECIPIENT), amount: 2n },
      ],
      parentBeaconBlockRoot: hashOf(parent.header.number),
      gasLimitTarget: 30_000_000n,
      extraData: EMPTY_BYTES,
      budgetMs: 1000,
    });
    pool.waiting = [];
    const { payload, requests } = built;
    const hash = toHex(payload.blockHash);
    return { payload, requests, parentBeaconBlockRoot: hashOf(parent.header.number), built, hash };
  };
  const extend: Fixture["extend"] = async (parentHash, transactions, salt) => {
    const proposal = await build(parentHash, transactions, salt);
    const verdict = await port.executePayload(proposal);
    if (verdict.status !== "valid") throw new Error(`not valid: ${JSON.stringify(verdict)}`);
    return proposal.hash;
  };
  return { chain, port, pool, build, extend };
}
