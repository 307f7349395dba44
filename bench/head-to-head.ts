/** A token's transfer and balanceOf: our engine beside @ethereumjs/evm, our eth_call beside EDR's, in one run. */
import { encodeDeployData, encodeFunctionData, type Hex, parseAbi } from "viem";
import { openContractMachine } from "../node/execution/open-machine.ts";
import { type Address, fromHex, toHash } from "../primitives/bytes.ts";
import { assert } from "../primitives/errors.ts";
import { createDispatcher } from "../rpc/dispatch.ts";
import { createFilters } from "../rpc/filters.ts";
import type { RpcContext } from "../rpc/method.ts";
import { METHODS } from "../rpc/method-table.ts";
import { createRateLimit } from "../rpc/rate-limit.ts";
import { createReceiptWaits } from "../rpc/receipt-waits.ts";
import { DEFAULT_RPC_LIMITS } from "../rpc/rpc-limits.ts";
import { accounts, config, ETHER, GWEI, signed } from "../specs/support/execution-chain.ts";
import { LiveChain } from "../specs/support/live-chain.ts";
import { MemoryState } from "../specs/support/memory-state.ts";
import { withScratchDatabase } from "../specs/support/scratch-database.ts";
import { applyTransaction, beginBlock } from "../vm/block-execution.ts";
import { runMessage } from "../vm/execute-transaction.ts";
import { openEdr, openEthereumJs, type TokenCall } from "./other-engines.ts";
import { solidityToken } from "./solidity-token.ts";
import { buildToken } from "./token-artifact.ts";
import { DEPLOYER, opening, transaction } from "./unsigned-transactions.ts";

const HOLDERS = 100;
const SUPPLY = 10n ** 24n;
/** Short rounds, so that most run without losing their core to another process. */
const ROUNDS = 60;
const WARM_UP_ROUNDS = 20;
const CALLS_PER_ROUND = 100;

const TOKEN = parseAbi([
  "constructor(uint256 supply)",
  "function transfer(address to, uint256 value) returns (bool)",
  "function balanceOf(address account) view returns (uint256)",
]);
const holder = (n: number): Address => `0x${(0xdef000 + n).toString(16).padStart(40, "0")}`;

export const DATA = {
  transfer: Array.from({ length: HOLDERS }, (_, n) =>
    encodeFunctionData({ abi: TOKEN, functionName: "transfer", args: [holder(n), 1n] }),
  ),
  balanceOf: Array.from({ length: HOLDERS }, (_, n) =>
    encodeFunctionData({ abi: TOKEN, functionName: "balanceOf", args: [holder(n)] }),
  ),
} as const;

export type Contender = "jurat" | "@ethereumjs/evm" | "jurat eth_call" | "EDR eth_call";
/** Median microseconds of a call: of the clock, and of the processor, all threads together. */
export type CallTime = { readonly wall: number; readonly processor: number };
/** A contender that is not installed is absent. */
export type HeadToHead = Readonly<Record<keyof typeof DATA, ReadonlyMap<Contender, CallTime>>>;

/** Rounds of all contenders take turns, so that what slows the machine for a while slows all of them. */
export async function benchHeadToHead(): Promise<HeadToHead> {
  const creation = await ourCreation();
  const solidity = encodeDeployData({ abi: TOKEN, bytecode: solidityToken(), args: [SUPPLY] });
  return withScratchDatabase("execution", async (database) => {
    const live = new LiveChain(database, openContractMachine());
    const edr = await openEdr(solidity);
    const contenders = new Map<Contender, TokenCall>([
      ["jurat", openMachine(creation)],
      ["@ethereumjs/evm", await openEthereumJs(solidity)],
      ["jurat eth_call", await openDispatch(live, creation)],
      ...(edr === undefined ? [] : [["EDR eth_call", edr] as const]),
    ]);
    const transfer = await race(contenders, DATA.transfer);
    const balanceOf = await race(contenders, DATA.balanceOf);
    await live.stop();
    return { transfer, balanceOf };
  });
}

async function race(contenders: ReadonlyMap<Contender, TokenCall>, data: readonly Hex[]) {
  const rounds = new Map<Contender, CallTime[]>([...contenders.keys()].map((name) => [name, []]));
  for (let round = -WARM_UP_ROUNDS; round < ROUNDS; round++) {
    for (const [name, call] of contenders) {
      const time = await timeRound(call, data);
      if (round >= 0) rounds.get(name)?.push(time);
    }
  }
  return new Map(
    [...rounds].map(([name, times]) => [
      name,
      { wall: median(times.map(({ wall }) => wall)), processor: median(times.map((time) => time.processor)) },
    ]),
  );
}

async function timeRound(call: TokenCall, data: readonly Hex[]): Promise<CallTime> {
  const before = process.cpuUsage();
  const start = performance.now();
  for (let i = 0; i < CALLS_PER_ROUND; i++) await call(data[i % HOLDERS]!);
  const wall = ((performance.now() - start) * 1000) / CALLS_PER_ROUND;
  const { user, system } = process.cpuUsage(before);
  return { wall, processor: (user + system) / CALLS_PER_ROUND };
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1]!;
}

export async function ourCreation(): Promise<Hex> {
  const { abi, bytecode } = await buildToken();
  return encodeDeployData({ abi, bytecode, args: ["Token", "TKN", SUPPLY] });
}

/** Messages to the machine, each in a transaction's scope of its own; what they change is kept. */
export function openMachine(creation: Hex): TokenCall {
  const machine = openContractMachine();
  const state = MemoryState.of(new Map([[DEPLOYER, { balance: 10n ** 6n * ETHER }]]));
  const execution = beginBlock(config, opening(), state, machine, () => toHash(0n));
  const { journal, block } = execution.context;
  const { succeeded, contractAddress: to } = applyTransaction(
    execution,
    transaction(0, undefined, fromHex(creation)),
  );
  assert(succeeded && to !== undefined, "the token deploys");
  const fixed = { sender: DEPLOYER, value: 0n, gas: 30_000_000, gasPrice: GWEI, accessList: [] };
  const { sender, value, gas, gasPrice, accessList } = fixed;
  const context = { block, journal, machine };
  return async (text) => {
    journal.beginTransaction();
    const message = { sender, to, value, data: fromHex(text), gas, gasPrice, accessList };
    const { outcome, output } = runMessage(context, message);
    assert(outcome === "success", "a call of the token succeeds");
    return output;
  };
}

/** JSON text in, JSON text out, through everything but the socket. */
export async function openDispatch(live: LiveChain, creation: Hex): Promise<TokenCall> {
  const from = accounts[0]!;
  const { raw } = signed(0, { to: undefined, data: fromHex(creation), gasLimit: 10_000_000n });
  await live.pool.submit(raw);
  await live.mine();
  const dispatcher = createDispatcher({
    methods: METHODS,
    onFault(error) {
      throw error;
    },
  });
  const limits = DEFAULT_RPC_LIMITS;
  const context: RpcContext = {
    chain: live.view,
    filters: createFilters(live.view, limits, () => performance.now()),
    limits,
    receiptWaits: createReceiptWaits(live.view, limits, () => () => undefined),
    rate: createRateLimit(Number.POSITIVE_INFINITY, () => performance.now()),
    processUsage: () => ({ residentBytes: 0, cpuMs: 0 }),
    subscriber: undefined,
  };
  const ask = async <T>(method: string, ...params: unknown[]): Promise<T> => {
    const request = JSON.stringify({ jsonrpc: "2.0", id: 1, method, params });
    const { result, error } = JSON.parse((await dispatcher.handle(request, context)) ?? "{}");
    if (error !== undefined) throw new Error(`${method}: ${error.message}`);
    return result;
  };
  const block = await ask<{ transactions: Hex[] }>("eth_getBlockByNumber", "latest", false);
  const receipt = await ask<{ contractAddress: Hex }>("eth_getTransactionReceipt", block.transactions[0]);
  return (data) => ask<Hex>("eth_call", { from, to: receipt.contractAddress, data }, "latest");
}
