/** Size, room and write times of databases. See specs/node/metrics.md#database. */
import { statSync } from "node:fs";
import { Gauge, Histogram, type Registry } from "prom-client";
import { freeBytesOf } from "../storage/disk-room.ts";
import type { WriteKind } from "./timed-database.ts";

const WRITE_BUCKETS_SECONDS = [0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1];

export function databaseInstruments(registry: Registry) {
  const registers = [registry];
  const files = new Map<string, string>();
  new Gauge({
    name: "jurat_database_bytes",
    help: "Size of a database's file.",
    labelNames: ["database"],
    registers,
    collect() {
      for (const [database, path] of files) {
        const size = statSync(path, { throwIfNoEntry: false })?.size;
        if (size !== undefined) this.set({ database }, size);
      }
    },
  });
  const writes = new Histogram({
    name: "jurat_database_write_seconds",
    help: "Time of a write until it is on record: write blocks its thread for the flush, commit does not.",
    labelNames: ["kind"],
    buckets: WRITE_BUCKETS_SECONDS,
    registers,
  });
  let directory: string | undefined;
  const free = new Gauge({
    name: "jurat_disk_free_bytes",
    help: "Room left on the disk of the data folder.",
    registers: [],
    collect() {
      if (directory !== undefined) this.set(freeBytesOf(directory));
    },
  });
  return {
    /** From now on the room on this folder's disk is told. */
    diskOf(path: string): void {
      directory = path;
      registry.registerMetric(free);
    },
    databaseSize: (database: string, path: string): void => void files.set(database, path),
    onWritten: (kind: WriteKind, seconds: number): void => writes.observe({ kind }, seconds),
  };
}
