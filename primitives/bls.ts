/**
 * Validator signatures: BLS12-381, public keys in G1 (48 bytes), signatures in G2 (96 bytes),
 * ciphersuite BLS_SIG_BLS12381G2_XMD:SHA-256_SSWU_RO_POP_ (draft-irtf-cfrg-bls-signature).
 * noble is the reference; a native build may be injected. Bytes that are no valid key or signature verify as false.
 */
import { bls12_381 } from "@noble/curves/bls12-381.js";
import { bytesToBigInt } from "./bytes.ts";
import { CodedError } from "./errors.ts";

export class BlsError extends CodedError<{
  readonly code: "BLS_INVALID_SECRET_KEY" | "BLS_INVALID_SIGNATURE" | "BLS_NOTHING_TO_AGGREGATE";
}> {}

/** One claim: the owners of all `publicKeys` signed the 32-byte `message`; `signature` is their aggregate. */
export type SignatureSet = {
  readonly publicKeys: readonly Uint8Array[];
  readonly message: Uint8Array;
  readonly signature: Uint8Array;
};

export interface BlsBackend {
  /** @throws BlsError unless 0 < secretKey < the group order (32 bytes, big-endian). */
  publicKey(secretKey: Uint8Array): Uint8Array;
  /** @throws BlsError as publicKey does. */
  sign(secretKey: Uint8Array, message: Uint8Array): Uint8Array;
  /** @throws BlsError when the list is empty or a member is not a point of the subgroup. */
  aggregateSignatures(signatures: readonly Uint8Array[]): Uint8Array;
  fastAggregateVerify(publicKeys: readonly Uint8Array[], message: Uint8Array, signature: Uint8Array): boolean;
  aggregateVerify(
    publicKeys: readonly Uint8Array[],
    messages: readonly Uint8Array[],
    signature: Uint8Array,
  ): boolean;
  /** Whether every set verifies. A native build checks all with random coefficients in one pairing product. */
  verifySets(sets: readonly SignatureSet[]): boolean;
  /** KeyValidate: on the curve, in the subgroup, not infinity. */
  isValidPublicKey(publicKey: Uint8Array): boolean;
  /** On the curve and in the subgroup; infinity is allowed, as in aggregates of nothing. */
  isValidSignature(signature: Uint8Array): boolean;
}

const { longSignatures: scheme, fields } = bls12_381;
const { Point: PublicKeyPoint } = bls12_381.G1;
type PublicKeyPoint = InstanceType<typeof PublicKeyPoint>;
type SignaturePoint = ReturnType<typeof scheme.Signature.fromBytes>;
const DOMAIN_SEPARATION_TAG = "BLS_SIG_BLS12381G2_XMD:SHA-256_SSWU_RO_POP_";

function hashToPoint(message: Uint8Array) {
  return scheme.hash(message, DOMAIN_SEPARATION_TAG);
}

function checkedSecretKey(secretKey: Uint8Array): Uint8Array {
  const value = secretKey.length === 32 ? bytesToBigInt(secretKey) : 0n;
  if (value === 0n || value >= fields.Fr.ORDER) throw new BlsError({ code: "BLS_INVALID_SECRET_KEY" });
  return secretKey;
}

function publicKeyPoint(bytes: Uint8Array): PublicKeyPoint | undefined {
  try {
    const point = PublicKeyPoint.fromBytes(bytes);
    return point.is0() || !point.isTorsionFree() ? undefined : point;
  } catch {
    // noble throws plain errors for bytes that are no point.
    return undefined;
  }
}

function signaturePoint(bytes: Uint8Array): SignaturePoint | undefined {
  try {
    const point = scheme.Signature.fromBytes(bytes);
    return point.isTorsionFree() ? point : undefined;
  } catch {
    return undefined;
  }
}

function verifyPoint(publicKey: PublicKeyPoint, message: Uint8Array, signature: SignaturePoint): boolean {
  // Keys that cancel out sum to infinity, which is no public key (CoreVerify calls KeyValidate on the sum).
  if (publicKey.is0() || signature.is0()) return false;
  return scheme.verify(signature, hashToPoint(message), publicKey);
}

export const nobleBls: BlsBackend = {
  publicKey: (secretKey) => scheme.getPublicKey(checkedSecretKey(secretKey)).toBytes(),
  sign: (secretKey, message) =>
    scheme.Signature.toBytes(scheme.sign(hashToPoint(message), checkedSecretKey(secretKey))),
  aggregateSignatures(signatures) {
    if (signatures.length === 0) throw new BlsError({ code: "BLS_NOTHING_TO_AGGREGATE" });
    const points = signatures.map((bytes) => {
      const point = signaturePoint(bytes);
      if (point === undefined) throw new BlsError({ code: "BLS_INVALID_SIGNATURE" });
      return point;
    });
    return scheme.Signature.toBytes(points.reduce((sum, point) => sum.add(point)));
  },
  fastAggregateVerify(publicKeys, message, signature) {
    const point = signaturePoint(signature);
    const keys = publicKeys.map(publicKeyPoint);
    if (point === undefined || keys.length === 0) return false;
    let sum = PublicKeyPoint.ZERO;
    for (const key of keys) {
      if (key === undefined) return false;
      sum = sum.add(key);
    }
    return verifyPoint(sum, message, point);
  },
  aggregateVerify(publicKeys, messages, signature) {
    const point = signaturePoint(signature);
    if (point === undefined || publicKeys.length === 0 || publicKeys.length !== messages.length) return false;
    const pairs = [];
    for (const [i, message] of messages.entries()) {
      const publicKey = publicKeyPoint(publicKeys[i] ?? message);
      if (publicKey === undefined) return false;
      pairs.push({ message: hashToPoint(message), publicKey });
    }
    return !point.is0() && scheme.verifyBatch(point, pairs);
  },
  verifySets: (sets) =>
    sets.every((set) => nobleBls.fastAggregateVerify(set.publicKeys, set.message, set.signature)),
  isValidPublicKey: (publicKey) => publicKeyPoint(publicKey) !== undefined,
  isValidSignature: (signature) => signaturePoint(signature) !== undefined,
};

let backend: BlsBackend = nobleBls;

/** Called once per thread, at start. The backends agree: specs/primitives/backends.spec.ts. */
export function useBlsBackend(chosen: BlsBackend): void {
  backend = chosen;
}

export const blsPublicKey: BlsBackend["publicKey"] = (secretKey) => backend.publicKey(secretKey);
export const blsSign: BlsBackend["sign"] = (secretKey, message) => backend.sign(secretKey, message);
export const blsAggregateSignatures: BlsBackend["aggregateSignatures"] = (signatures) =>
  backend.aggregateSignatures(signatures);
export const blsFastAggregateVerify: BlsBackend["fastAggregateVerify"] = (publicKeys, message, signature) =>
  backend.fastAggregateVerify(publicKeys, message, signature);
export const blsAggregateVerify: BlsBackend["aggregateVerify"] = (publicKeys, messages, signature) =>
  backend.aggregateVerify(publicKeys, messages, signature);
export const blsVerifySets: BlsBackend["verifySets"] = (sets) => backend.verifySets(sets);
export const blsIsValidPublicKey: BlsBackend["isValidPublicKey"] = (publicKey) =>
  backend.isValidPublicKey(publicKey);
export const blsIsValidSignature: BlsBackend["isValidSignature"] = (signature) =>
  backend.isValidSignature(signature);

/** One key, one message. */
export function blsVerify(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  return backend.fastAggregateVerify([publicKey], message, signature);
}
