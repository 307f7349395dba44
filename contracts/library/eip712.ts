/** EIP-712: what people sign for a contract, and who signed it. See specs/contracts/library.md#signatures. */
import {
  type Address,
  abi,
  block,
  concat,
  ecrecover,
  type Hex,
  keccak256,
  self,
  toHex,
  ZERO,
} from "chain:std";

const DOMAIN_TYPE = typeHash(
  "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)",
);
const VERSION = keccak256(toHex("1"));
/** Half of the group's order: of the two values of s that sign the same, only the lower is accepted (EIP-2). */
const HALF_ORDER = 0x7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0n;

/** Of a struct, written as EIP-712's `encodeType` does. Meant for constants: it is computed when a module is evaluated. */
export function typeHash(type: string): Hex {
  return keccak256(toHex(type));
}

/** Of this contract on this chain, version 1, so that a signature is good nowhere else. */
export function domainSeparator(name: string): Hex {
  const types = "bytes32, bytes32, bytes32, uint256, address";
  return keccak256(
    abi.encode(types, DOMAIN_TYPE, keccak256(toHex(name)), VERSION, block.chainId, self.address),
  );
}

/** The digest that is signed for a struct with this hash. */
export function typedDataDigest(name: string, structHash: Hex): Hex {
  return keccak256(concat("0x1901", domainSeparator(name), structHash));
}

/** The signer, or ZERO when the signature is nobody's or not in its one accepted form. */
export function recoverSigner(digest: Hex, v: bigint, r: Hex, s: Hex): Address {
  return BigInt(s) > HALF_ORDER ? ZERO : ecrecover(digest, v, r, s);
}
