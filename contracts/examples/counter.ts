/** A counter whose owner may give it other code. See specs/contracts/library.md#upgradeable-by-code-hash. */
import { contract, event, external, init, msg, storage, view } from "chain:std";
import { onlyOwner, ownable, setOwner } from "../library/ownable.ts";
import { upgradeable } from "../library/upgradeable.ts";

const state = storage({ count: "uint256" });
const Counted = event("Counted(uint256 count)");

export default contract({
  name: "Counter",
  upgradeable: true,
  init: init("", () => setOwner(msg.sender)),
  functions: {
    ...ownable,
    ...upgradeable(onlyOwner),
    count: view("() returns (uint256)", () => state.count),
    increment: external("()", () => {
      state.count += 1n;
      Counted({ count: state.count });
    }),
  },
});
