/** eth_getLogs, and the range rules it shares with filters. See specs/rpc/logs.md. */
import { findBlock } from "../block-parameter.ts";
import type { BlockReference, ChainView, LocatedLog } from "../chain-view.ts";
import { encodeLog, type LogJson, locateLogs } from "../encode-log.ts";
import { arrayOf, ref } from "../json-schema.ts";
import { JsonText } from "../json-text.ts";
import { type LogQuery, logQuery, matchesLog } from "../log-filter.ts";
import { method } from "../method.ts";
import { invalidParams, prunedHistory, responseTooLarge, serverError } from "../rpc-errors.ts";
import type { RpcLimits } from "../rpc-limits.ts";
import { asJson, toQuantity } from "../schema.ts";

export const getLogs = method({
  name: "eth_getLogs",
  summary: "Logs of one block or of a range of canonical blocks that match a filter.",
  params: { filter: logQuery },
  result: asJson<readonly LogJson[]>("logs", arrayOf(ref("Log"))),
  handle: ({ chain, limits }, params) => findLogs(chain, params.filter, limits),
});

/** @throws RpcError when the range is reversed, ahead of the head, or too large. */
export async function findLogs(
  chain: ChainView,
  { filter, range }: LogQuery,
  limits: RpcLimits,
): Promise<readonly LogJson[] | JsonText> {
  if ("blockHash" in range) {
    const block = findBlock(chain, { hash: range.blockHash });
    if (block === undefined) throw serverError("unknown block");
    const receipts = chain.receipts(block.hash);
    if (receipts === undefined) throw prunedHistory("block", block.header.number, chain.oldestBlock());
    return encodeLogs(locateLogs(block, receipts).filter((log) => matchesLog(filter, log)));
  }
  const { first, last } = resolveRange(chain, range.from, range.to);
  if (last - first >= limits.logBlocks) {
    throw tryRange(`query exceeds max block range ${limits.logBlocks}`, first, first + limits.logBlocks - 1);
  }
  const most = { logs: limits.logResults, characters: limits.answerBytes };
  const found = await chain.logs(filter, first, last, most);
  if ("json" in found) return new JsonText(found.json);
  if (found.beyond === "characters") throw responseTooLarge();
  // The block in which the limit is reached would be cut in half, so the hint ends before it.
  const hint = Math.max(first, found.blockNumber - 1);
  throw tryRange(`query returned more than ${limits.logResults} results`, first, hint);
}

function encodeLogs(logs: readonly LocatedLog[]): readonly LogJson[] {
  return logs.map((log) => encodeLog(log));
}

/** Not -32005: clients would try the same query again and again. */
function tryRange(problem: string, first: number, last: number) {
  return invalidParams(`${problem}. Try with this block range [${toQuantity(first)}, ${toQuantity(last)}].`);
}

/** Block numbers a range means now. @throws RpcError */
export function resolveRange(
  chain: ChainView,
  from: BlockReference | undefined,
  to: BlockReference | undefined,
): { readonly first: number; readonly last: number } {
  const head = chain.head().header.number;
  const first = blockNumberOf(chain, from) ?? head;
  const last = blockNumberOf(chain, to) ?? head;
  if (first > last) throw invalidParams("invalid block range params");
  if (last > head) throw invalidParams("block range extends beyond current head block");
  const oldest = chain.oldestBlock();
  if (first < oldest) throw prunedHistory("block", first, oldest);
  return { first, last };
}

function blockNumberOf(chain: ChainView, reference: BlockReference | undefined): number | undefined {
  if (reference === undefined) return undefined;
  return "number" in reference ? reference.number : chain.block(reference)?.header.number;
}
