/** Filters over logs: reading them, and matching. See specs/rpc/logs.md. */
import type { Address, Hash } from "../primitives/bytes.ts";
import type { Log } from "../vm/block.ts";
import { blockNumberOrTag } from "./block-parameter.ts";
import type { BlockReference, LogFilter } from "./chain-view.ts";
import { isJsonObject } from "./json.ts";
import { arrayOf, orNull } from "./json-schema.ts";
import { address, hash, listOf, optional, type Schema, SchemaError } from "./schema.ts";

/** A log has at most four topics, so a longer filter is a mistake worth telling. */
const TOPICS_LIMIT = 4;
const ADDRESSES_LIMIT = 1000;
const ALTERNATIVES_LIMIT = 1000;

/** Where to look: one block by hash, or a range of the canonical chain. */
export type LogRange =
  | { readonly blockHash: Hash }
  | { readonly from: BlockReference | undefined; readonly to: BlockReference | undefined };
export type LogQuery = { readonly filter: LogFilter; readonly range: LogRange };

const addressList = listOf(address, ADDRESSES_LIMIT, "exceed max addresses");
const alternatives = listOf(hash, ALTERNATIVES_LIMIT, "exceed max topics");
const optionalBlock = optional(blockNumberOrTag);

function readAddresses(json: unknown, at: string): readonly Address[] {
  if (json === undefined || json === null) return [];
  return Array.isArray(json) ? addressList.read(json, at) : [address.read(json, at)];
}

/** null and the empty list are wildcards, but still stand for a topic the log must have. */
function readTopicPosition(json: unknown, at: string): readonly Hash[] | undefined {
  if (json === null) return undefined;
  if (!Array.isArray(json)) return [hash.read(json, at)];
  // A null among the alternatives matches anything, and so makes the whole position a wildcard.
  if (json.length === 0 || json.includes(null)) return undefined;
  return alternatives.read(json, at);
}

function readTopics(json: unknown, at: string): LogFilter["topics"] {
  if (json === undefined || json === null) return [];
  if (!Array.isArray(json)) throw new SchemaError(at, "expected a list of topics");
  if (json.length > TOPICS_LIMIT) throw new SchemaError(at, "exceed max topics");
  return json.map((position, index) => readTopicPosition(position, `${at}[${index}]`));
}

function readRange(json: { readonly [name: string]: unknown }, at: string): LogRange {
  const { blockHash, fromBlock, toBlock } = json;
  if (blockHash === undefined || blockHash === null) {
    return {
      from: optionalBlock.read(fromBlock, `${at}.fromBlock`),
      to: optionalBlock.read(toBlock, `${at}.toBlock`),
    };
  }
  if ((fromBlock ?? null) !== null || (toBlock ?? null) !== null) {
    throw new SchemaError(at, "cannot specify both BlockHash and FromBlock/ToBlock, choose one or the other");
  }
  return { blockHash: hash.read(blockHash, `${at}.blockHash`) };
}

/** The filter object of eth_getLogs, eth_newFilter and eth_subscribe. */
export const logQuery: Schema<LogQuery> = {
  shape: {
    type: "object",
    properties: {
      address: orNull({ anyOf: [address.shape, addressList.shape] }),
      topics: orNull(arrayOf(orNull({ anyOf: [hash.shape, arrayOf(orNull(hash.shape))] }))),
      blockHash: orNull(hash.shape),
      fromBlock: optionalBlock.shape,
      toBlock: optionalBlock.shape,
    },
  },
  expects: "a log filter: address, topics, and blockHash or fromBlock and toBlock",
  read(json, at) {
    if (!isJsonObject(json)) throw new SchemaError(at, `expected ${logQuery.expects}`);
    return {
      filter: {
        addresses: readAddresses(json["address"], `${at}.address`),
        topics: readTopics(json["topics"], `${at}.topics`),
      },
      range: readRange(json, at),
    };
  },
  write({ filter, range }) {
    const where =
      "blockHash" in range
        ? { blockHash: range.blockHash }
        : { fromBlock: optionalBlock.write(range.from), toBlock: optionalBlock.write(range.to) };
    return { ...where, address: filter.addresses, topics: filter.topics.map((position) => position ?? null) };
  },
};

/** Whether a log matches; a filter with n topic positions asks for at least n topics. */
export function matchesLog(filter: LogFilter, log: Log): boolean {
  if (filter.addresses.length > 0 && !filter.addresses.includes(log.address)) return false;
  if (filter.topics.length > log.topics.length) return false;
  return filter.topics.every((position, index) => {
    const topic = log.topics[index];
    return position === undefined || (topic !== undefined && position.includes(topic));
  });
}
