import { describeFuzzing } from "./describe-fuzz.ts";

/** Minutes on one core. */
const CAMPAIGN_INPUTS = 100_000;

describeFuzzing({
  inputs: Number(process.env["FUZZ_INPUTS"] ?? CAMPAIGN_INPUTS),
  seed: Number(process.env["FUZZ_SEED"] ?? Date.now() % 2 ** 31),
});
