/** What each machine instruction costs. The unit is the tick. specs/vm/engine/engine.md#ticks */
import { BULK, OP } from "./wasm-reader.ts";

/**
 * `memory.copy` and `memory.fill` cost one tick for 2^BULK_BYTES_SHIFT bytes on top of their own price:
 * a flat price would sell a copy of megabytes 200 to 800 times too cheap.
 */
export const BULK_BYTES_SHIFT = 1;

/**
 * The first growth of an instance's memory in a call, after which the instance is replaced: 2 ms, most of it
 * for the operating system. And each page it grows by, which is new memory: 30 to 50 µs.
 */
export const GROWTH_TICKS = 20_000_000;
export const GROWTH_TICKS_PER_PAGE = 400_000;

/** A character that crosses between host and guest, in either direction, hexadecimal to bytes included: 5 to 8 ns. */
export const TEXT_TICKS_PER_CHARACTER = 56;

const COST_BULK_MEMORY = 10;
const COST_SATURATING_TRUNCATION = 3;

const costByOpcode = new Uint8Array(256).fill(1);

/** Structure costs nothing at run time; charging it would price tight loops five times too high. */
for (const op of [OP.unreachable, 0x01, OP.block, OP.loop, OP.else, OP.end, OP.drop]) costByOpcode[op] = 0;
for (let memoryAccess = 0x28; memoryAccess <= 0x3e; memoryAccess++) costByOpcode[memoryAccess] = 2;
for (let division32 = 0x6d; division32 <= 0x70; division32++) costByOpcode[division32] = 8;
for (let division64 = 0x7f; division64 <= 0x82; division64++) costByOpcode[division64] = 16;
/** f32 and f64: square root and division. */
for (const op of [0x91, 0x95, 0x9f, 0xa3]) costByOpcode[op] = 8;
costByOpcode[OP.call] = 5;
costByOpcode[OP.callIndirect] = 8;
costByOpcode[OP.brTable] = 4;

/** Ticks of one instruction, without the per-byte part of bulk memory instructions. */
export function tickCost(op: number, sub: number): number {
  if (op !== OP.bulk) return costByOpcode[op] ?? 1;
  return sub >= BULK.memoryInit ? COST_BULK_MEMORY : COST_SATURATING_TRUNCATION;
}
