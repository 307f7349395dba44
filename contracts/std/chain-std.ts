/** The module `chain:std` as contracts import it; their types are in contracts/chain-std.d.ts. See specs/contracts/authoring.md. */
export { abi, address, concat, ecrecover, keccak256, ripemd160, sha256, toHex, ZERO } from "./abi.ts";
export {
  call,
  create,
  delegatecall,
  deploy,
  iface,
  isCallError,
  staticcall,
  tryCall,
  upgrade,
} from "./calls.ts";
export { contract, external, guard, init, payable, reentrant, view } from "./contract.ts";
export {
  balance,
  block,
  codeHash,
  codeSize,
  console,
  gasleft,
  msg,
  self,
  transient,
  tx,
} from "./environment.ts";
export { error, event, require } from "./errors.ts";
export { array, mapping, storage, struct, transientStorage } from "./storage.ts";
