/** Funds that several people hold together. See specs/contracts/library.md#multisig. */
import { contract, init } from "chain:std";
import { multisig, setOwners } from "../library/multisig.ts";

export default contract({
  name: "Treasury",
  init: init("address[] owners, uint256 threshold", (owners, threshold) => setOwners(owners, threshold)),
  functions: multisig,
  receive: () => {},
});
