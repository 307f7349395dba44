/** ERC-2612: allowances by signature, for a token made with erc20.ts. See specs/contracts/library.md#permit. */
import {
  type Address,
  abi,
  block,
  error,
  external,
  type Hex,
  keccak256,
  mapping,
  storage,
  view,
  ZERO,
} from "chain:std";
import { domainSeparator, recoverSigner, typedDataDigest, typeHash } from "./eip712.ts";
import { approve, tokenName } from "./erc20.ts";

const permits = storage({ nonces: mapping("address", "uint256") }, "openzeppelin.storage.Nonces");

const ExpiredSignature = error("ERC2612ExpiredSignature(uint256 deadline)");
const InvalidSigner = error("ERC2612InvalidSigner(address signer, address owner)");

const PERMIT_TYPE = typeHash(
  "Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)",
);

export const erc20Permit = {
  nonces: view("(address owner) returns (uint256)", (owner) => permits.nonces.get(owner)),
  DOMAIN_SEPARATOR: view("() returns (bytes32)", () => domainSeparator(tokenName())),

  permit: external(
    "(address owner, address spender, uint256 value, uint256 deadline, uint8 v, bytes32 r, bytes32 s)",
    (owner, spender, value, deadline, v, r, s) => {
      if (block.timestamp > deadline) throw ExpiredSignature({ deadline });
      // Counted first: the same signature names another nonce the next time.
      const nonce = permits.nonces.add(owner, 1n) - 1n;
      const digest = typedDataDigest(tokenName(), permitHash(owner, spender, value, nonce, deadline));
      const signer = recoverSigner(digest, v, r, s);
      if (signer === ZERO || signer !== owner) throw InvalidSigner({ signer, owner });
      approve(owner, spender, value);
    },
  ),
};

function permitHash(owner: Address, spender: Address, value: bigint, nonce: bigint, deadline: bigint): Hex {
  const types = "bytes32, address, address, uint256, uint256, uint256";
  return keccak256(abi.encode(types, PERMIT_TYPE, owner, spender, value, nonce, deadline));
}
