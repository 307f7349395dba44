/** `npm run test:crash -- --rounds N`: kills nodes of a running network at chosen moments. See specs/campaigns/crash/crash.md. */
import "../../../node/polyfill.ts";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { readChainSpec } from "../../../node/chain-spec.ts";
import { installNativeBackends } from "../../../node/native/install.ts";
import { randomStream } from "../../simulation/random-stream.ts";
import { CrashNetwork } from "./crash-network.ts";
import { identityOf } from "./inspect-folder.ts";
import { startObserver } from "./observer.ts";
import { PHASES, playRound, type RoundResult } from "./round.ts";
import { renderCrashTable } from "./table.ts";
import { startLoad } from "./transaction-load.ts";

const FIRST_FINALITY_TIMEOUT_MS = 180_000;

async function run(rounds: number, seed: number, basePort: number, nodes: number): Promise<boolean> {
  await installNativeBackends();
  const dir = mkdtempSync(join(tmpdir(), "jurat-crash-"));
  const network = new CrashNetwork(join(dir, "net"), basePort, nodes);
  const spec = readChainSpec(network.specPath);
  for (const { number } of network.nodes) network.start(number);
  const observer = await startObserver(spec, network.addresses);
  const results: RoundResult[] = [];
  let isClean = false;
  try {
    for (const node of network.nodes) {
      const final = await network.status(
        node,
        ({ finalizedNumber }) => finalizedNumber > 0,
        FIRST_FINALITY_TIMEOUT_MS,
      );
      if (final === undefined)
        throw new Error(`the network did not become final: ${network.lastWords(node.number)}`);
    }
    const urls = network.nodes.map(({ url }) => url);
    const load = await startLoad(urls, network.chainId, randomStream(seed, "load"));
    const campaign = { network, identity: identityOf(spec), observer, random: randomStream(seed, "kills") };
    let isInterrupted = false;
    process.once("SIGINT", () => {
      console.log("the table follows after this round; again to stop at once");
      isInterrupted = true;
    });
    while (results.length < rounds && !isInterrupted) {
      const phase = PHASES[results.length % PHASES.length] ?? PHASES[0];
      const result = await playRound(campaign, phase).catch((error: unknown) => unanswered(phase, error));
      results.push(result);
      report(results.length, result);
    }
    await load.stop();
    isClean = renderCrashTable({ results, seed, signed: observer.signed, load, print: console.log });
    return isClean;
  } finally {
    await observer.close();
    await network.stop();
    if (isClean) rmSync(dir, { recursive: true, force: true });
    else console.log(`kept: ${dir}`);
  }
}

/** A node that is up but answers nothing for minutes is a loss, and no reason to end the campaign. */
function unanswered(phase: RoundResult["phase"], error: unknown): RoundResult {
  const reason = error instanceof Error ? error.message : String(error);
  const notOpened = [`a node did not answer: ${reason}`];
  return { phase, kills: 0, startMs: 0, notOpened, stateFaults: [], unrecorded: [] };
}

function report(round: number, { phase, startMs, notOpened, stateFaults, unrecorded }: RoundResult): void {
  const losses = [...notOpened, ...stateFaults, ...unrecorded];
  const outcome = losses.length === 0 ? "nothing lost" : losses.join("; ");
  console.log(
    `round ${String(round).padStart(3)}  ${phase.padEnd(20)} up in ${Math.round(startMs)} ms  ${outcome}`,
  );
}

const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "20" },
    seed: { type: "string", default: "1" },
    nodes: { type: "string", default: "4" },
    "base-port": { type: "string", default: "22400" },
  },
});
const isClean = await run(
  Number(values.rounds),
  Number(values.seed),
  Number(values["base-port"]),
  Number(values.nodes),
);
process.exit(isClean ? 0 : 1);
