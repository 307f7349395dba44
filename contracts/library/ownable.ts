/** One account that may do what others may not. See specs/contracts/library.md#ownable. */
import { type Address, error, event, external, guard, msg, storage, view, ZERO } from "chain:std";

const state = storage({ owner: "address" }, "openzeppelin.storage.Ownable");

const OwnershipTransferred = event(
  "OwnershipTransferred(address indexed previousOwner, address indexed newOwner)",
);
const Unauthorized = error("OwnableUnauthorizedAccount(address account)");
const InvalidOwner = error("OwnableInvalidOwner(address owner)");

/** To be called first, or given to `guard`. */
export function onlyOwner(): void {
  if (msg.sender !== state.owner) throw Unauthorized({ account: msg.sender });
}

/** For the constructor: until it is called nobody is the owner. */
export function setOwner(newOwner: Address): void {
  if (newOwner === ZERO) throw InvalidOwner({ owner: newOwner });
  replaceOwner(newOwner);
}

function replaceOwner(newOwner: Address): void {
  OwnershipTransferred({ previousOwner: state.owner, newOwner });
  state.owner = newOwner;
}

export const ownable = {
  owner: view("() returns (address)", () => state.owner),
  ...guard(onlyOwner, {
    transferOwnership: external("(address newOwner)", (newOwner) => setOwner(newOwner)),
    /** Nobody owns the contract from then on. */
    renounceOwnership: external("()", () => replaceOwner(ZERO)),
  }),
};
