/** The record of a safety fault: kept beside the databases until a person has decided. See specs/consensus/finality.md#safety-fault. */
import { existsSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Effect } from "../../consensus/engine-events.ts";
import { toHex } from "../../primitives/bytes.ts";
import type { BlockCodec } from "./block-codec.ts";

type SafetyFault = Extract<Effect, { readonly type: "safetyFault" }>;

export type SafetyFaultRecord = {
  /** Whether a fault was recorded, now or before a restart: then no duties are done. */
  isFaulted(): boolean;
  record(fault: SafetyFault): void;
};

type FatalLog = { fatal(fields: object, message: string): void };

const FILE = "safety-fault.json";

/** @param dir the node's folder. */
export function openSafetyFaultRecord(dir: string, codec: BlockCodec, log: FatalLog): SafetyFaultRecord {
  const path = join(dir, FILE);
  if (existsSync(path)) {
    log.fatal({ path }, "a safety fault is on record: no duties are done until this file is moved away");
  }
  return {
    isFaulted: () => existsSync(path),
    record({ ours, conflicting, block }) {
      log.fatal({ ours, conflicting, path }, SAFETY_FAULT);
      const text = JSON.stringify({ ours, conflicting, block: toHex(codec.encode(block)) }, undefined, 2);
      // Whole or not at all, also when the process ends in the middle.
      writeFileSync(`${path}.new`, `${text}\n`, { flush: true });
      renameSync(`${path}.new`, path);
    },
  };
}

const SAFETY_FAULT =
  "two conflicting blocks are final: a third of the stake is slashable. Duties have stopped; keep the data folder";
