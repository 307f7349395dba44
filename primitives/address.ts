/** Account addresses: their checksummed spelling and how contracts get theirs. */
import {
  type Address,
  bigIntToMinimalBytes,
  concatBytes,
  fromHex,
  type Hash,
  toHex,
  utf8ToBytes,
} from "./bytes.ts";
import { keccak256 } from "./hash.ts";
import { encodeRlp } from "./rlp.ts";

const ADDRESS_PATTERN = /^0x[0-9a-fA-F]{40}$/;

/** Mixed-case spelling with a checksum in the letters' case (EIP-55). */
export function toChecksumAddress(address: Address): Address {
  const digits = address.slice(2).toLowerCase();
  const hash = toHex(keccak256(utf8ToBytes(digits))).slice(2);
  let text = "0x";
  for (let i = 0; i < digits.length; i++) {
    const digit = digits[i] ?? "";
    text += Number.parseInt(hash[i] ?? "0", 16) >= 8 ? digit.toUpperCase() : digit;
  }
  return text as Address;
}

/**
 * Lower-case address, or undefined when `text` is not one. Mixed case must carry a right EIP-55 checksum;
 * all-lower and all-upper case carry none.
 */
export function parseAddress(text: string): Address | undefined {
  if (!ADDRESS_PATTERN.test(text)) return undefined;
  const lower = text.toLowerCase() as Address;
  const digits = text.slice(2);
  const isUniform = digits === digits.toLowerCase() || digits === digits.toUpperCase();
  return isUniform || toChecksumAddress(lower) === text ? lower : undefined;
}

/** Address of a contract created by a transaction or by CREATE: keccak256(rlp([sender, nonce]))[12:]. */
export function createAddress(sender: Address, nonce: bigint): Address {
  return toHex(keccak256(encodeRlp([fromHex(sender), bigIntToMinimalBytes(nonce)])).subarray(12));
}

/** Address of a contract created by CREATE2 (EIP-1014). */
export function create2Address(sender: Address, salt: Hash, initCodeHash: Hash): Address {
  const preimage = concatBytes(Uint8Array.of(0xff), fromHex(sender), fromHex(salt), fromHex(initCodeHash));
  return toHex(keccak256(preimage).subarray(12));
}
