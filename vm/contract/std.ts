/** The module `chain:std` is part of the protocol: this is its digest. See specs/vm/contract/machine.md#chainstd. */
import { type Hash, toHex, utf8ToBytes } from "../../primitives/bytes.ts";
import { CodedError } from "../../primitives/errors.ts";
import { sha256 } from "../../primitives/hash.ts";

/** SHA-256 of dist/image/std.js. Whoever changes contracts/std changes it, and with it the engine id. */
export const STD_SHA256: Hash = "0xbd7495f43e71182b869a2dbf01569695d033b8e8678d0ad601d564166cbb38fb";

export class StdError extends CodedError<{
  readonly code: "STD_DIFFERS";
  readonly expected: Hash;
  readonly actual: Hash;
}> {}

/** @throws StdError when `source` is not the module of the protocol. */
export function checkStd(source: string): void {
  const actual = toHex(sha256(utf8ToBytes(source)));
  if (actual !== STD_SHA256) throw new StdError({ code: "STD_DIFFERS", expected: STD_SHA256, actual });
}
