/** What governs other contracts, slowly. See specs/contracts/library.md#timelock. */
import { contract, init } from "chain:std";
import { startTimelock, timelock } from "../library/timelock.ts";

export default contract({
  name: "Timelock",
  init: init("uint256 minDelay, address[] proposers, address[] executors", (minDelay, proposers, executors) =>
    startTimelock(minDelay, proposers, executors),
  ),
  functions: timelock,
  receive: () => {},
});
