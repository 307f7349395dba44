/** Stopping a contract, and letting it go on. See specs/contracts/library.md#pausable. */
import { error, event, external, msg, storage, view } from "chain:std";

const state = storage({ paused: "bool" }, "openzeppelin.storage.Pausable");

const Paused = event("Paused(address account)");
const Unpaused = event("Unpaused(address account)");
const EnforcedPause = error("EnforcedPause()");
const ExpectedPause = error("ExpectedPause()");

/** To be called first, or given to `guard`: `...guard(whenNotPaused, erc20)` stops a token. */
export function whenNotPaused(): void {
  if (state.paused) throw EnforcedPause();
}

export const pausable = { paused: view("() returns (bool)", () => state.paused) };

/** For those who may: `...guard(onlyOwner, pauseSwitch)`. */
export const pauseSwitch = {
  pause: external("()", () => {
    whenNotPaused();
    state.paused = true;
    Paused({ account: msg.sender });
  }),
  unpause: external("()", () => {
    if (!state.paused) throw ExpectedPause();
    state.paused = false;
    Unpaused({ account: msg.sender });
  }),
};
