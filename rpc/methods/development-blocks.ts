/** When blocks of a development chain are mined, and when they say they were. See specs/rpc/development.md#blocks. */
import type { DevelopmentChain } from "../development-chain.ts";
import { isJsonObject } from "../json.ts";
import { HEX, orNull } from "../json-schema.ts";
import { type Method, method } from "../method.ts";
import { asJson, boolean, count, optional, type Schema, SchemaError, text, toQuantity } from "../schema.ts";

/** Blocks one request may ask for: some seconds of work. */
const MINE_LIMIT = 10_000;
/** Seconds; a thousand years, so that sums stay exact. */
const SECONDS_LIMIT = 1_000 * 366 * 86_400;

/** A plain number, or a quantity: clients send both. */
function numberUpTo(limit: number, expects: string): Schema<number> {
  return {
    expects,
    shape: { anyOf: [HEX.quantity, { type: "integer", minimum: 0, maximum: limit }] },
    read(json, at) {
      const value = typeof json === "number" ? json : count.read(json, at);
      if (!Number.isSafeInteger(value) || value < 0 || value > limit) {
        throw new SchemaError(at, `expected ${expects} from 0 to ${limit}`);
      }
      return value;
    },
    write: toQuantity,
  };
}

const blockCount = numberUpTo(MINE_LIMIT, "a number of blocks");
const seconds = numberUpTo(SECONDS_LIMIT, "seconds");
/** A day, the most `--block-time` takes too. */
const interval = numberUpTo(86_400, "seconds");
const timestamp = numberUpTo(SECONDS_LIMIT, "a timestamp in seconds");

/** What evm_mine takes: nothing, a timestamp, or Ganache's object. */
const mineOptions: Schema<{ readonly blocks: number; readonly timestamp: number | undefined }> = optional(
  {
    expects: "a timestamp, or an object with blocks and timestamp",
    shape: {
      anyOf: [
        timestamp.shape,
        {
          type: "object",
          properties: { blocks: orNull(blockCount.shape), timestamp: orNull(timestamp.shape) },
        },
      ],
    },
    read(json, at) {
      if (!isJsonObject(json)) return { blocks: 1, timestamp: timestamp.read(json, at) };
      return {
        blocks: optional(blockCount, 1).read(json["blocks"], `${at}.blocks`),
        timestamp: optional(timestamp).read(json["timestamp"], `${at}.timestamp`),
      };
    },
    write: (options) => ({ blocks: options.blocks, timestamp: options.timestamp ?? null }),
  },
  { blocks: 1, timestamp: undefined },
);

export function blockMethods(chain: DevelopmentChain): readonly Method[] {
  return [
    method({
      name: "evm_mine",
      summary: "Mines a block, whatever waits in the pool.",
      params: { options: mineOptions },
      result: text,
      async handle(_context, { options }) {
        if (options.timestamp !== undefined) chain.setNextBlockTimestamp(options.timestamp);
        await chain.mine(options.blocks, undefined);
        return "0x0";
      },
    }),
    ...["anvil", "hardhat"].map((tool) =>
      method({
        name: `${tool}_mine`,
        summary: "Mines blocks, so many seconds apart.",
        params: { blocks: optional(blockCount, 1), interval: optional(seconds) },
        result: boolean,
        async handle(_context, { blocks, interval }) {
          await chain.mine(blocks, interval);
          return true;
        },
      }),
    ),
    ...timeMethods(chain),
    ...miningMethods(chain),
  ];
}

function timeMethods(chain: DevelopmentChain): readonly Method[] {
  return [
    method({
      name: "evm_setNextBlockTimestamp",
      summary: "The timestamp of the next block mined; time goes on from there.",
      params: { timestamp },
      result: asJson<null>("null", { type: "null" }),
      handle(_context, params) {
        chain.setNextBlockTimestamp(params.timestamp);
        return null;
      },
    }),
    method({
      name: "evm_increaseTime",
      summary: "Moves the chain's clock forward; answers by how much it is ahead, in seconds.",
      params: { seconds },
      result: asJson<number>("a number of seconds", { type: "number" }),
      handle: (_context, params) => chain.increaseTime(params.seconds),
    }),
  ];
}

function miningMethods(chain: DevelopmentChain): readonly Method[] {
  return [
    method({
      name: "evm_setAutomine",
      summary: "Whether a transaction is mined as it comes.",
      params: { isOn: boolean },
      result: boolean,
      async handle(_context, { isOn }) {
        await chain.setAutomine(isOn);
        return true;
      },
    }),
    method({
      name: "evm_setIntervalMining",
      summary: "A block every so many seconds; 0 ends that.",
      params: { interval },
      result: boolean,
      handle(_context, params) {
        chain.setIntervalMining(params.interval);
        return true;
      },
    }),
    ...["anvil", "hardhat"].flatMap((tool) => [
      method({
        name: `${tool}_getAutomine`,
        summary: "Whether a transaction is mined as it comes.",
        params: {},
        result: boolean,
        handle: () => chain.isAutomining(),
      }),
      method({
        name: `${tool}_dropAllTransactions`,
        summary: "Forgets all transactions that wait.",
        params: {},
        result: boolean,
        handle() {
          chain.dropTransactions();
          return true;
        },
      }),
    ]),
  ];
}
