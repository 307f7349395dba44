#!/usr/bin/env node
/** npm run bench:ring-memory: what the state's rings take until they are full, and that nothing else of an engine grows. */
import "../node/polyfill.ts";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { installNativeBackends } from "../node/native/install.ts";
import { createScaleChain } from "./scale-chain.ts";
import { follow } from "./scale-memory.ts";

const VALIDATORS = 4;
/** Beyond `slotsPerHistoricalRoot` of the devnet preset, when the rings are full. */
const SLOTS = 11_000;
const STEP = 500;

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

await installNativeBackends();
console.log(
  `an engine with ${VALIDATORS} validators, devnet preset, everyone votes\n\n  slot   KiB   KiB a slot`,
);
let before = 0;
follow(createScaleChain(VALIDATORS, 1, "devnet"), SLOTS, (slot) => {
  if (slot % STEP !== 0) return;
  collect();
  const { heapUsed, external } = process.memoryUsage();
  const kibibytes = (heapUsed + external) / 1024;
  const perSlot = before === 0 ? "" : ((kibibytes - before) / STEP).toFixed(2);
  console.log(`${String(slot).padStart(6)}${kibibytes.toFixed(0).padStart(8)}${perSlot.padStart(9)}`);
  before = kibibytes;
});
