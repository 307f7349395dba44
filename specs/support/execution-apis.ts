/** The vectors of ethereum/execution-apis: a chain of blocks and what clients answer about it. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fromHex, type Hash } from "../../primitives/bytes.ts";
import type { Header, Log, Receipt } from "../../vm/block.ts";
import { vectorsPath } from "./vectors.ts";

/** A call and its answer. */
export type Exchange = {
  readonly file: string;
  readonly method: string;
  readonly params: readonly unknown[];
  // The shape differs from method to method, as JSON-RPC has it.
  readonly result: Json | undefined;
};
export type Json = { readonly [field: string]: Json } & { readonly length: number } & string &
  readonly Json[];

/** Every exchange of one method. */
export function exchangesOf(context: Mocha.Context, method: string): readonly Exchange[] {
  const folder = vectorsPath(context, "execution-apis", "tests", method);
  return readdirSync(folder)
    .filter((file) => file.endsWith(".io"))
    .toSorted()
    .map((file) => {
      const lines = readFileSync(join(folder, file), "utf8").split("\n");
      const said = (mark: string) => JSON.parse(lines.find((line) => line.startsWith(mark))!.slice(3));
      const { result } = said("<<");
      return { file, ...(said(">>") as Pick<Exchange, "method" | "params">), result: result ?? undefined };
    });
}

/** The RLP of each block of the chain, from number 1 on. */
export function chainBlocks(context: Mocha.Context): readonly Uint8Array[] {
  const bytes = new Uint8Array(readFileSync(vectorsPath(context, "execution-apis", "tests", "chain.rlp")));
  const blocks: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; ) {
    // Every block is longer than 55 bytes: 0xf7 and the size of the length, then the length.
    const lengthSize = bytes[at]! - 0xf7;
    const length = bytes.subarray(at + 1, at + 1 + lengthSize).reduce((sum, byte) => sum * 256 + byte, 0);
    const end = at + 1 + lengthSize + length;
    blocks.push(bytes.subarray(at, end));
    at = end;
  }
  return blocks;
}

/** A header as `eth_getBlockByNumber` spells it. */
export function headerOf(json: Json): Header {
  const integer = (name: string) => BigInt(json[name]!);
  const optional = <T>(name: string, field: string, read: (text: Json) => T) =>
    json[name] === undefined ? {} : { [field]: read(json[name]) };
  return {
    parentHash: json["parentHash"] as unknown as Hash,
    ommersHash: json["sha3Uncles"] as unknown as Hash,
    feeRecipient: json["miner"] as unknown as Hash,
    stateRoot: json["stateRoot"] as unknown as Hash,
    transactionsRoot: json["transactionsRoot"] as unknown as Hash,
    receiptsRoot: json["receiptsRoot"] as unknown as Hash,
    logsBloom: fromHex(json["logsBloom"]!),
    difficulty: integer("difficulty"),
    number: Number(json["number"]),
    gasLimit: integer("gasLimit"),
    gasUsed: integer("gasUsed"),
    timestamp: Number(json["timestamp"]),
    extraData: fromHex(json["extraData"]!),
    prevRandao: json["mixHash"] as unknown as Hash,
    nonce: fromHex(json["nonce"]!),
    ...optional("baseFeePerGas", "baseFeePerGas", BigInt),
    ...optional("withdrawalsRoot", "withdrawalsRoot", String),
    ...optional("blobGasUsed", "blobGasUsed", BigInt),
    ...optional("excessBlobGas", "excessBlobGas", BigInt),
    ...optional("parentBeaconBlockRoot", "parentBeaconBlockRoot", String),
    ...optional("requestsHash", "requestsHash", String),
  };
}

/** A receipt as `eth_getTransactionReceipt` spells it. */
export function receiptOf(json: Json): Receipt {
  return {
    type: Number(json["type"]) as Receipt["type"],
    succeeded: json["status"] === ("0x1" as unknown as Json),
    cumulativeGasUsed: BigInt(json["cumulativeGasUsed"]!),
    logsBloom: fromHex(json["logsBloom"]!),
    logs: [...(json["logs"] as readonly Json[])].map((log) => ({
      address: log["address"] as unknown as Hash,
      topics: log["topics"] as unknown as Log["topics"],
      data: fromHex(log["data"]!),
    })),
  };
}
