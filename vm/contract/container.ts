/** The form in which a contract is deployed and stored: packed readable source. See specs/vm/contract/container.md. */
import { bytesToUtf8, concatBytes } from "../../primitives/bytes.ts";
import { CodedError } from "../../primitives/errors.ts";
import { InflateError, type InflateErrorDetail, inflateRaw } from "./inflate.ts";

export type Container = {
  readonly engineId: number;
  readonly isUpgradeable: boolean;
  /** Bytes of the source when inflated. */
  readonly rawLength: number;
  /** The source, raw DEFLATE. */
  readonly packed: Uint8Array;
  /** keccak256 of the build's metadata; nothing in the protocol reads it. */
  readonly metadataHash: Uint8Array;
};

export type ContainerErrorDetail =
  | { readonly code: "CONTAINER_WRONG_MAGIC" }
  | { readonly code: "CONTAINER_SHORT" }
  | { readonly code: "CONTAINER_TOO_LARGE"; readonly limitBytes: number; readonly actualBytes: number }
  | { readonly code: "CONTAINER_UNKNOWN_VERSION"; readonly version: number }
  | { readonly code: "CONTAINER_UNKNOWN_ENGINE"; readonly engineId: number }
  | { readonly code: "CONTAINER_UNKNOWN_FLAGS"; readonly flags: number }
  | { readonly code: "CONTAINER_NOT_PACKED"; readonly reason: InflateErrorDetail["code"] }
  | { readonly code: "CONTAINER_NOT_UTF8" }
  | { readonly code: "CONTAINER_HIDDEN_CHARACTER"; readonly codePoint: string; readonly line: number };

export class ContainerError extends CodedError<ContainerErrorDetail> {}

/** 0xEF is what EIP-3541 reserved for code that is not EVM bytecode; then "JS". */
const MAGIC = [0xef, 0x4a, 0x53] as const;
const VERSION = 1;
const UPGRADEABLE_FLAG = 1;
const HEADER_SIZE = 13;
const METADATA_SIZE = 32;

/** Twice Ethereum's limit for code (EIP-170), since source is larger than bytecode. */
export const CONTAINER_SIZE_LIMIT = 48 * 1024;
export const SOURCE_SIZE_LIMIT = 256 * 1024;
/** The engine this build runs; a contract stays with the engine it was deployed for. */
export const ENGINE_ID = 1;

export function encodeContainer(container: Container): Uint8Array {
  const header = Uint8Array.of(
    ...MAGIC,
    VERSION,
    ...bigEndian(container.engineId, 2),
    container.isUpgradeable ? UPGRADEABLE_FLAG : 0,
    ...bigEndian(container.rawLength, 3),
    ...bigEndian(container.packed.length, 3),
  );
  return concatBytes(header, container.packed, container.metadataHash);
}

function bigEndian(value: number, size: number): number[] {
  return Array.from({ length: size }, (_, i) => (value >>> (8 * (size - 1 - i))) & 0xff);
}

/**
 * The container at the start of `data`, and its size: behind it lie constructor arguments.
 * @throws ContainerError
 */
export function decodeContainer(data: Uint8Array): { readonly container: Container; readonly size: number } {
  if (MAGIC.some((byte, i) => data[i] !== byte)) throw new ContainerError({ code: "CONTAINER_WRONG_MAGIC" });
  if (data.length < HEADER_SIZE) throw new ContainerError({ code: "CONTAINER_SHORT" });
  const view = new DataView(data.buffer, data.byteOffset, data.length);
  const version = view.getUint8(3);
  if (version !== VERSION) throw new ContainerError({ code: "CONTAINER_UNKNOWN_VERSION", version });
  const engineId = view.getUint16(4);
  if (engineId !== ENGINE_ID) throw new ContainerError({ code: "CONTAINER_UNKNOWN_ENGINE", engineId });
  const flags = view.getUint8(6);
  if (flags > UPGRADEABLE_FLAG) throw new ContainerError({ code: "CONTAINER_UNKNOWN_FLAGS", flags });
  const rawLength = view.getUint32(6) & 0xff_ff_ff;
  const packedLength = view.getUint32(9) & 0xff_ff_ff;
  const size = HEADER_SIZE + packedLength + METADATA_SIZE;
  checkSize(size, CONTAINER_SIZE_LIMIT);
  checkSize(rawLength, SOURCE_SIZE_LIMIT);
  if (data.length < size) throw new ContainerError({ code: "CONTAINER_SHORT" });
  const container = {
    engineId,
    isUpgradeable: flags === UPGRADEABLE_FLAG,
    rawLength,
    packed: data.subarray(HEADER_SIZE, HEADER_SIZE + packedLength),
    metadataHash: data.subarray(size - METADATA_SIZE, size),
  };
  return { container, size };
}

/** Whether code of an account is a container that says it may be replaced. */
export function isUpgradeable(code: Uint8Array): boolean {
  return (
    code.length >= HEADER_SIZE && MAGIC.every((byte, i) => code[i] === byte) && code[6] === UPGRADEABLE_FLAG
  );
}

function checkSize(actualBytes: number, limitBytes: number): void {
  if (actualBytes > limitBytes)
    throw new ContainerError({ code: "CONTAINER_TOO_LARGE", limitBytes, actualBytes });
}

/**
 * The JavaScript a container carries.
 * @throws ContainerError when it does not inflate to UTF-8 text that reads as it looks.
 */
export function unpackSource(container: Container): string {
  let source: string;
  try {
    source = bytesToUtf8(inflateRaw(container.packed, container.rawLength));
  } catch (error) {
    if (error instanceof InflateError) {
      throw new ContainerError({ code: "CONTAINER_NOT_PACKED", reason: error.detail.code }, { cause: error });
    }
    if (!(error instanceof TypeError)) throw error;
    throw new ContainerError({ code: "CONTAINER_NOT_UTF8" }, { cause: error });
  }
  checkNothingHidden(source);
  return source;
}

/**
 * Characters that make text read other than it runs: controls (but tab and line ends), bidirectional marks and
 * overrides, zero-width and other invisible characters, tags. A fixed list, since Unicode's own grows by version.
 */
const HIDDEN_RANGES: readonly (readonly [number, number])[] = [
  [0x00, 0x08],
  [0x0b, 0x0c],
  [0x0e, 0x1f],
  [0x7f, 0x9f],
  [0xad, 0xad],
  [0x34f, 0x34f],
  [0x61c, 0x61c],
  [0x115f, 0x1160],
  [0x17b4, 0x17b5],
  [0x180b, 0x180f],
  [0x200b, 0x200f],
  [0x2028, 0x202e],
  [0x2060, 0x206f],
  [0x3164, 0x3164],
  [0xfe00, 0xfe0f],
  [0xfeff, 0xfeff],
  [0xffa0, 0xffa0],
  [0xfff9, 0xfffb],
  [0xe0000, 0xe0fff],
];

function checkNothingHidden(source: string): void {
  let line = 1;
  for (const character of source) {
    const codePoint = character.codePointAt(0) ?? 0;
    if (codePoint === 0x0a) line++;
    if (codePoint >= 0x20 && codePoint < 0x7f) continue;
    if (HIDDEN_RANGES.some(([first, last]) => codePoint >= first && codePoint <= last)) {
      const name = `U+${codePoint.toString(16).toUpperCase().padStart(4, "0")}`;
      throw new ContainerError({ code: "CONTAINER_HIDDEN_CHARACTER", codePoint: name, line });
    }
  }
}
