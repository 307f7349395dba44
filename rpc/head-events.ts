/** What a change of the head means for those who watch: logs taken back, logs brought. See specs/rpc/subscriptions.md. */
import { randomBytes } from "node:crypto";
import { type Hex, toHex } from "../primitives/bytes.ts";
import type { ChainView, HeadChange, LocatedLog } from "./chain-view.ts";
import { locateLogs } from "./encode-log.ts";
import { toQuantity } from "./schema.ts";

export type LogEvent = { readonly log: LocatedLog; readonly removed: boolean };

/** Logs of abandoned blocks, newest block first, then those of the new ones, oldest block first. */
export function logsOfChange(chain: ChainView, change: HeadChange): readonly LogEvent[] {
  const events: LogEvent[] = [];
  for (const removed of [true, false]) {
    for (const block of removed ? change.removed : change.added) {
      for (const log of locateLogs(block, chain.receipts(block.hash) ?? [])) events.push({ log, removed });
    }
  }
  return events;
}

/** An identifier of a filter or subscription, random so that no client can guess another's. */
export function randomIdentifier(): Hex {
  return toQuantity(BigInt(toHex(randomBytes(16))));
}
