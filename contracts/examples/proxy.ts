/** A proxy: its storage, an implementation's code. See specs/contracts/library.md#erc-1967-proxy. */
import { contract, init } from "chain:std";
import { forward, setImplementation } from "../library/erc1967.ts";

export default contract({
  name: "Proxy",
  init: init("address implementation, bytes data", setImplementation, { payable: true }),
  fallback: forward,
});
