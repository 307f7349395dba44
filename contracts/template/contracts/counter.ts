/** A counter that its owner can set back. */
import { contract, error, event, external, init, msg, require, storage, view } from "chain:std";

const state = storage({ owner: "address", count: "uint256" });

const Counted = event("Counted(address indexed by, uint256 count)");
const NotOwner = error("NotOwner(address caller)");

export default contract({
  name: "Counter",

  init: init("uint256 start", (start) => {
    state.owner = msg.sender;
    state.count = start;
  }),

  functions: {
    owner: view("() returns (address)", () => state.owner),
    count: view("() returns (uint256)", () => state.count),

    increment: external("()", () => {
      state.count += 1n;
      Counted({ by: msg.sender, count: state.count });
    }),

    reset: external("()", () => {
      require(msg.sender === state.owner, () => NotOwner({ caller: msg.sender }));
      state.count = 0n;
    }),
  },
});
