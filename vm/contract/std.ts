/** The module `chain:std` is part of the protocol: this is its digest. See specs/vm/contract/machine.md#chainstd. */
import { type Hash, toHex, utf8ToBytes } from "../../primitives/bytes.ts";
import { CodedError } from "../../primitives/errors.ts";
import { sha256 } from "../../primitives/hash.ts";

/** SHA-256 of dist/image/std.js. Whoever changes contracts/std changes it, and with it the engine id. */
export const STD_SHA256: Hash = "0x591caecba6f6215388a692aad381fa81413c55e0fb49ff70d8f5d2b9c227fe84";

/** SHA-256 of dist/image/boot.bin, the engine after it has evaluated that module: the base snapshot. */
export const BOOT_SHA256: Hash = "0x83c8b71f94f6433eabe91660163283f623b0852d9e360d82932f224054bed003";

export class StdError extends CodedError<{
  readonly code: "STD_DIFFERS" | "BOOT_DIFFERS";
  readonly expected: Hash;
  readonly actual: Hash;
}> {}

/** @throws StdError when `source` is not the module of the protocol. */
export function checkStd(source: string): void {
  const actual = toHex(sha256(utf8ToBytes(source)));
  if (actual !== STD_SHA256) throw new StdError({ code: "STD_DIFFERS", expected: STD_SHA256, actual });
}

/** @throws StdError when `image` is not the booted engine of the protocol. */
export function checkBoot(image: Uint8Array): void {
  const actual = toHex(sha256(image));
  if (actual !== BOOT_SHA256) throw new StdError({ code: "BOOT_DIFFERS", expected: BOOT_SHA256, actual });
}
