/** `npm run test:floods`: an attacker against four real nodes, every kind of flood at everything it can be aimed at. See specs/campaigns/floods/floods.md */
import "../../../node/polyfill.ts";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { untilInOrder } from "../../../testnet/scenarios/finality-scenarios.ts";
import {
  assertNobodySlashed,
  assertSameStateRoots,
  collectEvidence,
  type Evidence,
} from "../netfaults/chain-evidence.ts";
import { type FaultNetwork, startFaultNetwork } from "../netfaults/fault-network.ts";
import { enterOwnNamespace, isInOwnNamespace, whatIsMissing } from "../netfaults/fault-switch.ts";
import type { AttackOrder, AttackReport } from "./attacker.ts";
import { allFloods, type Flood } from "./flood-matrix.ts";
import { type FloodResult, floodTable } from "./flood-table.ts";
import { watchFigures } from "./node-figures.ts";

const NODES = 4;
const ATTACKER = fileURLToPath(new URL("attacker.js", import.meta.url));
const EXIT = { passed: 0, failed: 1, wrongFlag: 2, notHere: 3 } as const;
/** Slots for the votes of the attack to be included. */
const SETTLED_SLOTS = 10;

async function runAttacker(network: FaultNetwork, dir: string, floods: readonly Flood[], seconds: number) {
  const host = await network.addHost();
  const blockPath = join(dir, "head.ssz");
  writeFileSync(blockPath, await network.headBlock(1));
  const order: AttackOrder = {
    ...{ specPath: network.specPath, blockPath, host: host.address, floods, seconds },
    addresses: Array.from({ length: NODES }, (_, index) => network.peerAddress(index + 1)),
  };
  const orderPath = join(dir, "order.json");
  writeFileSync(orderPath, JSON.stringify(order));
  const [program = "", ...args] = [...host.enter, process.execPath, ATTACKER, orderPath];
  const child = spawn(program, args, { stdio: ["ignore", "pipe", "inherit"] });
  let output = "";
  child.stdout.on("data", (chunk: Buffer) => {
    output += chunk;
  });
  const [code] = (await once(child, "close")) as [number | null];
  if (code !== 0) throw new Error(`the attacker of ${floods[0]?.kind} ended with ${code}`);
  return JSON.parse(output) as readonly AttackReport[];
}

type Played = Omit<FloodResult, keyof Evidence> & { readonly from: number; readonly to: number };

const slotNow = async (network: FaultNetwork) => (await network.status(1))?.slot ?? 0;

/** One kind of flood at all its targets at once, each from an identity of its own; undefined floods nothing. */
async function play(
  network: FaultNetwork,
  dir: string,
  floods: readonly Flood[],
  seconds: number,
): Promise<Played> {
  const from = await slotNow(network);
  const work: Promise<readonly AttackReport[]> =
    floods.length === 0
      ? new Promise((resolve) => setTimeout(() => resolve([]), seconds * 1000))
      : runAttacker(network, dir, floods, seconds);
  const figures = await watchFigures(network, work);
  const reports = await work;
  return {
    kind: floods[0]?.kind ?? "nothing",
    seconds,
    reports,
    ...figures,
    from,
    to: await slotNow(network),
  };
}

/** What the chain says of each, once the last votes are in. */
async function judge(network: FaultNetwork, played: readonly Played[]): Promise<readonly FloodResult[]> {
  const last = Math.max(...played.map(({ to }) => to));
  await network.until("the chain goes on", ({ headSlot }) => headSlot >= last + SETTLED_SLOTS);
  await assertNobodySlashed(network);
  await assertSameStateRoots(network);
  const results: FloodResult[] = [];
  for (const one of played) results.push({ ...one, ...(await collectEvidence(network, one.from, one.to)) });
  return results;
}

async function run(kinds: readonly string[], seconds: number, slotSeconds: number): Promise<number> {
  const dir = mkdtempSync(join(tmpdir(), "jurat-floods-"));
  const network = await startFaultNetwork(join(dir, "net"), NODES, (text) => console.log(text), slotSeconds);
  const played: Played[] = [];
  let results: readonly FloodResult[] = [];
  try {
    await untilInOrder(network);
    played.push(await play(network, dir, [], seconds));
    const byKind = groupByKind();
    for (const [kind, floods] of byKind) {
      if (kinds.length > 0 && !kinds.includes(kind)) continue;
      console.log(`${kind}: ${floods.map(({ target }) => target).join(", ")}`);
      played.push(await play(network, dir, floods, seconds));
    }
    results = await judge(network, played);
  } finally {
    await network.close();
  }
  const { text, passed } = floodTable(results);
  console.log(text);
  if (passed) rmSync(dir, { recursive: true, force: true });
  else console.log(`logs in ${dir}`);
  return passed ? EXIT.passed : EXIT.failed;
}

function groupByKind(): Map<string, Flood[]> {
  const groups = new Map<string, Flood[]>();
  for (const flood of allFloods()) groups.set(flood.kind, [...(groups.get(flood.kind) ?? []), flood]);
  return groups;
}

const { values } = parseArgs({
  options: {
    kind: { type: "string", multiple: true, default: [] },
    seconds: { type: "string", default: "10" },
    "slot-seconds": { type: "string", default: "1" },
  },
});
const kindsKnown = new Set<string>(allFloods().map(({ kind }) => kind));
const unknown = values.kind.filter((kind) => !kindsKnown.has(kind));
const missing = whatIsMissing();
const isNumber = (text: string) => /^[1-9]\d{0,2}$/.test(text);
if (unknown.length > 0) {
  console.error(`there is no flood ${unknown.join(", ")}; there are ${[...kindsKnown].join(", ")}`);
  process.exit(EXIT.wrongFlag);
} else if (!isNumber(values.seconds) || !isNumber(values["slot-seconds"])) {
  console.error("--seconds and --slot-seconds: expected a whole number from 1");
  process.exit(EXIT.wrongFlag);
} else if (missing !== undefined) {
  console.error(`the attacker's hosts need ${missing}`);
  process.exit(EXIT.notHere);
} else if (isInOwnNamespace()) {
  process.exit(await run(values.kind, Number(values.seconds), Number(values["slot-seconds"])));
} else {
  process.exit(await enterOwnNamespace());
}
