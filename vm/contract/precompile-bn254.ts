/** Addition, multiplication and pairing on alt_bn128 as precompiles (EIP-196, EIP-197). See specs/vm/contract/precompiles.md. */
import { bn254 } from "@noble/curves/bn254.js";
import { bigIntToBytes, bytesToBigInt, concatBytes } from "../../primitives/bytes.ts";

const { G1, G2, fields } = bn254;
type G1Point = typeof G1.Point.ZERO;
type G2Point = typeof G2.Point.ZERO;

const G1_BYTES = 64;
export const PAIR_BYTES = 192;

/** Undefined when a point is none. */
export function bn254Add(data: Uint8Array): Uint8Array | undefined {
  const input = padded(data, 2 * G1_BYTES);
  const [a, b] = [readG1(input, 0), readG1(input, G1_BYTES)];
  return a === undefined || b === undefined ? undefined : writeG1(a.add(b));
}

/** Undefined when the point is none. */
export function bn254Multiply(data: Uint8Array): Uint8Array | undefined {
  const input = padded(data, G1_BYTES + 32);
  const point = readG1(input, 0);
  const scalar = wordAt(input, G1_BYTES) % fields.Fr.ORDER;
  return point === undefined ? undefined : writeG1(point.multiplyUnsafe(scalar));
}

/** 1 when the product of the pairings is one, else 0; undefined when the input is no list of pairs of points. */
export function bn254Pairing(data: Uint8Array): Uint8Array | undefined {
  if (data.length % PAIR_BYTES !== 0) return undefined;
  const pairs: { g1: G1Point; g2: G2Point }[] = [];
  for (let at = 0; at < data.length; at += PAIR_BYTES) {
    const g1 = readG1(data, at);
    const g2 = readG2(data, at + G1_BYTES);
    if (g1 === undefined || g2 === undefined) return undefined;
    // A pairing with the point at infinity is one.
    if (!g1.is0() && !g2.is0()) pairs.push({ g1, g2 });
  }
  const isOne = pairs.length === 0 || fields.Fp12.eql(bn254.pairingBatch(pairs), fields.Fp12.ONE);
  return bigIntToBytes(isOne ? 1n : 0n, 32);
}

function readG1(data: Uint8Array, at: number): G1Point | undefined {
  const [x, y] = [wordAt(data, at), wordAt(data, at + 32)];
  if (x >= fields.Fp.ORDER || y >= fields.Fp.ORDER) return undefined;
  if (x === 0n && y === 0n) return G1.Point.ZERO;
  return checked(G1.Point.fromAffine({ x, y }));
}

/** The imaginary part comes first. */
function readG2(data: Uint8Array, at: number): G2Point | undefined {
  const words = [0, 32, 64, 96].map((offset) => wordAt(data, at + offset));
  if (words.some((word) => word >= fields.Fp.ORDER)) return undefined;
  const [x1 = 0n, x0 = 0n, y1 = 0n, y0 = 0n] = words;
  if (words.every((word) => word === 0n)) return G2.Point.ZERO;
  return checked(G2.Point.fromAffine({ x: { c0: x0, c1: x1 }, y: { c0: y0, c1: y1 } }));
}

/** On the curve and of the right order; the library says otherwise by throwing. */
function checked<T extends { assertValidity(): void }>(point: T): T | undefined {
  try {
    point.assertValidity();
    return point;
  } catch {
    return undefined;
  }
}

function writeG1(point: G1Point): Uint8Array {
  const { x, y } = point.is0() ? { x: 0n, y: 0n } : point.toAffine();
  return concatBytes(bigIntToBytes(x, 32), bigIntToBytes(y, 32));
}

function wordAt(data: Uint8Array, at: number): bigint {
  return bytesToBigInt(data.subarray(at, at + 32));
}

/** Missing bytes are zero, and more are ignored. */
function padded(data: Uint8Array, length: number): Uint8Array {
  const input = new Uint8Array(length);
  input.set(data.subarray(0, length));
  return input;
}
