/** A counter that lives behind an ERC-1967 proxy. See specs/contracts/library.md#erc-1967-proxy. */
import { contract, external, init, storage, view } from "chain:std";
import { uups } from "../library/erc1967.ts";
import { disableInitializers, initialize } from "../library/initializable.ts";
import { onlyOwner, ownable, setOwner } from "../library/ownable.ts";

const state = storage({ count: "uint256", step: "uint64" });

export default contract({
  name: "ProxiedCounter",
  init: init("", disableInitializers),
  functions: {
    ...ownable,
    ...uups(onlyOwner),
    /** What the constructor would do: through the proxy, once. */
    initialize: external("(address owner, uint64 step)", (owner, step) => {
      initialize(1n);
      setOwner(owner);
      state.step = step;
    }),
    count: view("() returns (uint256)", () => state.count),
    increment: external("()", () => {
      state.count += state.step;
    }),
  },
});
