/** The protocol constants of the engine, and the check that this machine runs exactly them. specs/vm/engine/engine.md */
import type { Hash } from "../../primitives/bytes.ts";
import { toHex } from "../../primitives/bytes.ts";
import { CodedError } from "../../primitives/errors.ts";
import { sha256 } from "../../primitives/hash.ts";

/** SHA-256 of the published QuickJS binary the image is made from. */
export const SOURCE_SHA256: Hash = "0x105c3bed22d457e43e3d1c3c1c6959fda62a8fe06f0fc8a985303c3a2be72232";

/** SHA-256 of the metered binary: the result of `meter`, and what every node must run. */
export const IMAGE_SHA256: Hash = "0x31d260f0a374e13d19bf756a8bd35ceac649c75bf3838b9538fb8bffacac9632";

/** 64 KiB, the unit of WebAssembly's memory. */
export const PAGE_BYTES = 65_536;

/**
 * Memory of an instance in pages: 2 MiB, of which the heap may take 1.25. Every restore clears all of it, at
 * 9 µs for a mebibyte, and a module is evaluated within it, so that every snapshot fits.
 */
export const INITIAL_PAGES = 32;

/** What the memory may grow to in a call: 32 MiB. */
export const MAXIMUM_PAGES = 512;

/** QuickJS stops a run that goes this deep, native frames included. */
export const STACK_LIMIT_BYTES = 512 * 1024;

/**
 * Room below the limit for functions that do not recurse and therefore are not counted. A stack pointer that
 * passes it as well ends the run too.
 */
export const STACK_RESERVE_BYTES = 64 * 1024;

export type ImageErrorDetail =
  | { readonly code: "ENGINE_SOURCE_DIFFERS"; readonly expected: Hash; readonly actual: Hash }
  | { readonly code: "ENGINE_IMAGE_DIFFERS"; readonly expected: Hash; readonly actual: Hash };

/** The binary on disk is not the one of the protocol. */
export class ImageError extends CodedError<ImageErrorDetail> {}

/** @throws ImageError when `source` is not the pinned QuickJS binary. */
export function checkSource(source: Uint8Array): void {
  const actual = toHex(sha256(source));
  if (actual !== SOURCE_SHA256) {
    throw new ImageError({ code: "ENGINE_SOURCE_DIFFERS", expected: SOURCE_SHA256, actual });
  }
}

/** @throws ImageError when `wasm` is not the metered binary of the protocol. */
export function checkImage(wasm: Uint8Array): void {
  const actual = toHex(sha256(wasm));
  if (actual !== IMAGE_SHA256) {
    throw new ImageError({ code: "ENGINE_IMAGE_DIFFERS", expected: IMAGE_SHA256, actual });
  }
}
