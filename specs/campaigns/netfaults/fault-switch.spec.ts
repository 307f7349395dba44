import { deepEqual, equal, ok } from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { PROJECT_ROOT } from "../../support/vectors.ts";
import { setBits } from "./chain-evidence.ts";
import { whatIsMissing } from "./fault-switch.ts";
import type { ProbeReport } from "./probe.ts";
import { faultTable } from "./table.ts";

describe("the fault switch", () => {
  it("delays, loses and cuts what real hosts send each other, and makes it whole again", function () {
    this.timeout(60_000);
    const missing = whatIsMissing();
    if (missing !== undefined) {
      console.error(`      pending: the fault switch needs ${missing}`);
      this.skip();
    }
    const program = join(PROJECT_ROOT, "dist/specs/campaigns/netfaults/probe.js");
    const output = execFileSync("unshare", ["--net", "--", process.execPath, program], { encoding: "utf8" });
    const report = JSON.parse(output) as ProbeReport;
    ok(report.delayedMs >= 200, `100 ms each way: ${report.delayedMs}`);
    ok(report.oneWayMs >= 100, `100 ms one way: ${report.oneWayMs}`);
    equal(report.lossyAnswers, report.lossyPings);
    deepEqual([report.answersWhileCut, report.answersAfterCut], [0, 1]);
  });
});

describe("the evidence of a chain", () => {
  it("reads who voted from a list of bits, whose last one is its end", () => {
    deepEqual(setBits("0x17"), [0, 1, 2]);
    deepEqual(setBits("0x1b"), [0, 1, 3]);
    deepEqual(setBits("0x10"), []);
    deepEqual(setBits("0x8003"), [7, 8]);
  });

  it("stands in a table, a line for each scenario and below why one failed", () => {
    const figures = { slots: 30, lagMax: 5, resumedAfterSlots: 3 };
    const evidence = { missedVotes: 2, dueVotes: 124, emptySlots: 1, finalSlot: 90 };
    const table = faultTable([
      { scenario: "loss-5", passed: true, reason: "", seconds: 61.2, figures: { ...figures, ...evidence } },
      { scenario: "deaf", passed: false, reason: "node 4: 1 validators are slashed", seconds: 9 },
    ]);
    deepEqual(table.split("\n"), [
      "",
      "  scenario  result  seconds  slots  lag max  resumed after  missed votes  empty slots  same state at  slashed",
      "  loss-5    pass    61       30     5        3              2 of 124      1            90             0",
      "  deaf      FAIL    9        -      -        -              -             -            -              -",
      "  deaf: node 4: 1 validators are slashed",
      "",
    ]);
  });
});
