import {
  agreeStrictly,
  agreeWithSolidity,
  neverDiffer,
  readWhatIsWritten,
} from "../../vm/contract/abi-peers.ts";
import { describeEngine } from "./describe-engine.ts";

/** Minutes on one core. */
const CAMPAIGN_RUNS = 20_000;
const CAMPAIGN_PROGRAMS = 1_000;
const CAMPAIGN_WALKS = 2_000;
/** Types are chosen anew for each so many runs beside Solidity. */
const RUNS_PER_CONTRACT = 1_000;

const runs = Number(process.env["CODEC_RUNS"] ?? CAMPAIGN_RUNS);
const seed = Number(process.env["ENGINE_SEED"] ?? Date.now() % 2 ** 31);

describeEngine({
  programs: Number(process.env["ENGINE_PROGRAMS"] ?? CAMPAIGN_PROGRAMS),
  walks: Number(process.env["ENGINE_WALKS"] ?? CAMPAIGN_WALKS),
  seed,
});

describe(`ABI: ${runs} random values and damaged data, seed ${seed}`, () => {
  it("are written and read as viem and ethers do", () => readWhatIsWritten({ runs, seed }));
  it("are accepted and refused as by viem and ethers", () => agreeStrictly({ runs, seed }));
  it("are never read as two things", () => neverDiffer({ runs, seed }));
  it("are accepted and refused as by Solidity", async () => {
    for (let done = 0; done < runs; done += RUNS_PER_CONTRACT) {
      await agreeWithSolidity({ runs: Math.min(RUNS_PER_CONTRACT, runs - done), seed: seed + done });
    }
  });
});
