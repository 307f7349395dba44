/** BLS12-381 by blst's prebuilt Node addon. */
import {
  aggregatePublicKeys,
  aggregateSerializedSignatures,
  aggregateVerify,
  aggregateWithRandomness,
  fastAggregateVerify,
  PublicKey,
  SecretKey,
  Signature,
  verifyMultipleAggregateSignatures,
} from "@chainsafe/blst";
import { type BlsBackend, BlsError, type SignatureSet } from "../../primitives/bls.ts";
import { toHex } from "../../primitives/bytes.ts";

/** Decompressing and checking a key costs 0.1 ms; validators' keys come back every slot. */
export const PUBLIC_KEY_CACHE_LIMIT = 65_536;

const publicKeys = new Map<string, PublicKey>();
/** By the bytes themselves: a registry hands out the same ones for ever, and nobody writes to them. */
const publicKeysByBytes = new WeakMap<Uint8Array, PublicKey>();

/** The checked key, or undefined when the bytes are no valid key. */
function publicKeyOf(bytes: Uint8Array): PublicKey | undefined {
  let key = publicKeysByBytes.get(bytes);
  if (key !== undefined) return key;
  key = readPublicKey(bytes);
  if (key !== undefined) publicKeysByBytes.set(bytes, key);
  return key;
}

function readPublicKey(bytes: Uint8Array): PublicKey | undefined {
  const id = toHex(bytes);
  const known = publicKeys.get(id);
  if (known !== undefined) return known;
  const key = attempt(() => PublicKey.fromBytes(bytes, true));
  if (key === undefined) return undefined;
  const [oldest] = publicKeys.keys();
  if (publicKeys.size >= PUBLIC_KEY_CACHE_LIMIT && oldest !== undefined) publicKeys.delete(oldest);
  publicKeys.set(id, key);
  return key;
}

/** The checked point; infinity is a valid encoding and verifies nothing. */
function signatureOf(bytes: Uint8Array): Signature | undefined {
  return attempt(() => Signature.fromBytes(bytes, true, false));
}

/** blst throws plain errors for bytes that are no point. */
function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

function secretKeyOf(bytes: Uint8Array): SecretKey {
  const key = attempt(() => SecretKey.fromBytes(bytes));
  if (key === undefined) throw new BlsError({ code: "BLS_INVALID_SECRET_KEY" });
  return key;
}

function allDefined<T>(values: readonly (T | undefined)[]): values is readonly T[] {
  return values.every((value) => value !== undefined);
}

/** All given keys, checked; undefined when one is invalid or there is none. */
function publicKeysOf(bytes: readonly Uint8Array[]): PublicKey[] | undefined {
  const keys = bytes.map(publicKeyOf);
  return keys.length > 0 && allDefined(keys) ? [...keys] : undefined;
}

type Claim = { readonly msg: Uint8Array; readonly pk: PublicKey; readonly sig: Signature };

/** The votes of a slot say the same: a pairing each would be most of the work. */
function groupByMessage(sets: readonly SignatureSet[]): Map<string, [SignatureSet, ...SignatureSet[]]> {
  const groups = new Map<string, [SignatureSet, ...SignatureSet[]]>();
  for (const set of sets) {
    const id = toHex(set.message);
    const group = groups.get(id);
    if (group === undefined) groups.set(id, [set]);
    else group.push(set);
  }
  return groups;
}

/**
 * All sets of one message as one: keys and signatures summed with the same random 64-bit coefficients, so that
 * wrong signatures cancel out with a chance of 2^-64. Undefined when a key or signature is no point or infinity.
 */
function claimOf([first, ...others]: readonly [SignatureSet, ...SignatureSet[]]): Claim | undefined {
  const msg = first.message;
  if (others.length === 0) {
    const pk = sumOfKeys(first);
    const sig = signatureOf(first.signature);
    return pk === undefined || sig === undefined ? undefined : { msg, pk, sig };
  }
  const pairs: { pk: PublicKey; sig: Uint8Array }[] = [];
  for (const set of [first, ...others]) {
    const pk = sumOfKeys(set);
    if (pk === undefined) return undefined;
    pairs.push({ pk, sig: set.signature });
  }
  const sum = attempt(() => aggregateWithRandomness(pairs));
  return sum === undefined ? undefined : { msg, ...sum };
}

function sumOfKeys({ publicKeys: bytes }: SignatureSet): PublicKey | undefined {
  const keys = publicKeysOf(bytes);
  return keys === undefined ? undefined : attempt(() => aggregatePublicKeys(keys));
}

export const blstBls: BlsBackend = {
  publicKey: (secretKey) => secretKeyOf(secretKey).toPublicKey().toBytes(),
  sign: (secretKey, message) => secretKeyOf(secretKey).sign(message).toBytes(),
  aggregateSignatures(signatures) {
    if (signatures.length === 0) throw new BlsError({ code: "BLS_NOTHING_TO_AGGREGATE" });
    const sum = attempt(() => aggregateSerializedSignatures([...signatures], true));
    if (sum === undefined) throw new BlsError({ code: "BLS_INVALID_SIGNATURE" });
    return sum.toBytes();
  },
  fastAggregateVerify(keys, message, signature) {
    const points = publicKeysOf(keys);
    const point = signatureOf(signature);
    if (points === undefined || point === undefined) return false;
    return attempt(() => fastAggregateVerify(message, points, point)) ?? false;
  },
  aggregateVerify(keys, messages, signature) {
    const points = publicKeysOf(keys);
    const point = signatureOf(signature);
    if (points === undefined || point === undefined || points.length !== messages.length) return false;
    return attempt(() => aggregateVerify([...messages], points, point)) ?? false;
  },
  verifySets(sets) {
    const claims = [...groupByMessage(sets).values()].map(claimOf);
    if (!allDefined(claims)) return false;
    return claims.length === 0 || (attempt(() => verifyMultipleAggregateSignatures([...claims])) ?? false);
  },
  isValidPublicKey: (bytes) => publicKeyOf(bytes) !== undefined,
  isValidSignature: (bytes) => signatureOf(bytes) !== undefined,
};
