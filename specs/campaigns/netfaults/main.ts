/** `npm run test:netfaults -- [--scenario names…]`: real nodes on a bad network. See specs/campaigns/netfaults/netfaults.md. */
import "../../../node/polyfill.ts";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { ABSENCE_SCENARIOS } from "./absence-scenarios.ts";
import { type FaultNetwork, startFaultNetwork } from "./fault-network.ts";
import { type FaultResult, type FaultScenario, judge } from "./fault-scenario.ts";
import { enterOwnNamespace, isInOwnNamespace, whatIsMissing } from "./fault-switch.ts";
import { LINK_SCENARIOS } from "./link-scenarios.ts";
import { faultTable } from "./table.ts";

const SCENARIOS: readonly FaultScenario[] = [...LINK_SCENARIOS, ...ABSENCE_SCENARIOS];
const NODES = 4;
const EXIT = { passed: 0, failed: 1, wrongFlag: 2, notHere: 3 } as const;

async function play(scenario: FaultScenario, slots: number, slotSeconds: number): Promise<FaultResult> {
  const startMs = performance.now();
  const dir = mkdtempSync(join(tmpdir(), "jurat-netfaults-"));
  console.log(`${scenario.name}: ${scenario.summary}`);
  const note = (text: string) => console.log(`  ${text}`);
  const ended = (reason: string, figures?: FaultResult["figures"]): FaultResult => {
    const seconds = (performance.now() - startMs) / 1000;
    const result = { scenario: scenario.name, passed: reason === "", reason, seconds };
    return figures === undefined ? result : { ...result, figures };
  };
  let network: FaultNetwork | undefined;
  let figures: FaultResult["figures"];
  try {
    network = await startFaultNetwork(join(dir, "net"), NODES, note, slotSeconds);
    figures = await judge(network, scenario, slots);
  } catch (error) {
    return ended(`${error instanceof Error ? error.message : String(error)} (logs in ${dir})`);
  } finally {
    await network?.close();
  }
  rmSync(dir, { recursive: true, force: true });
  return ended("", figures);
}

async function run(
  names: readonly string[],
  slots: number | undefined,
  slotSeconds: number,
): Promise<number> {
  const chosen = SCENARIOS.filter(({ name, isLong }) =>
    names.includes("all") ? isLong !== true : names.includes(name),
  );
  const results: FaultResult[] = [];
  for (const scenario of chosen) {
    const result = await play(scenario, slots ?? scenario.slots, slotSeconds);
    results.push(result);
    console.log(faultTable([result]));
  }
  if (results.length > 1) console.log(faultTable(results));
  return results.every(({ passed }) => passed) ? EXIT.passed : EXIT.failed;
}

const { values } = parseArgs({
  options: {
    scenario: { type: "string", multiple: true, default: ["all"] },
    slots: { type: "string" },
    "slot-seconds": { type: "string", default: "1" },
    list: { type: "boolean", default: false },
  },
});
const missing = whatIsMissing();
const unknown = values.scenario.filter(
  (name) => name !== "all" && !SCENARIOS.some((one) => one.name === name),
);
if (values.list) {
  for (const { name, summary, slots } of SCENARIOS)
    console.log(`${name.padEnd(18)} ${slots} slots: ${summary}`);
  process.exit(EXIT.passed);
} else if (unknown.length > 0) {
  console.error(`there is no scenario ${unknown.join(", ")}: --list names them`);
  process.exit(EXIT.wrongFlag);
} else if (values.slots !== undefined && !/^[1-9]\d{0,5}$/.test(values.slots)) {
  console.error(`--slots ${values.slots}: expected a whole number from 1`);
  process.exit(EXIT.wrongFlag);
} else if (!/^[1-9]\d?$/.test(values["slot-seconds"])) {
  console.error(`--slot-seconds ${values["slot-seconds"]}: expected a whole number from 1`);
  process.exit(EXIT.wrongFlag);
} else if (missing !== undefined) {
  console.error(`the faults need ${missing}`);
  process.exit(EXIT.notHere);
} else if (isInOwnNamespace()) {
  const slots = values.slots === undefined ? undefined : Number(values.slots);
  process.exit(await run(values.scenario, slots, Number(values["slot-seconds"])));
} else {
  process.exit(await enterOwnNamespace());
}
