/** One soak: a network is started, watched under load for a while, and compared at the end. */
import { setTimeout as pause } from "node:timers/promises";
import { readChainSpec } from "../../../node/chain-spec.ts";
import type { Hash, Hex } from "../../../primitives/bytes.ts";
import { portsOf } from "../../../testnet/ports.ts";
import { randomStream } from "../../simulation/random-stream.ts";
import { CrashNetwork } from "../crash/crash-network.ts";
import { callJson } from "../crash/json-call.ts";
import { type Observer, startObserver } from "../crash/observer.ts";
import { type MixedLoad, startMixedLoad } from "./mixed-load.ts";
import type { SampleFile } from "./samples.ts";
import { readQuiet, startSampling } from "./sampling.ts";

const START_LIMIT_MS = 120_000;
/** After the load: pools empty, sockets closed, the last block final. */
const SETTLE_LIMIT_MS = 180_000;
const POLL_MS = 1000;
/** Its rings are full after 32 slots; the testnet's grow for 8192, which an hour cannot tell from a leak (`bench/ring-memory.ts`). */
const PRESET = "rehearsal";
/** Caches that are bounded by blocks or time fill up meanwhile; the largest keeps 512 blocks. */
const WARM_UP_MS = 15 * 60_000;
const INSPECTOR_OFFSET = 4000;

export type SoakOptions = {
  readonly dir: string;
  readonly basePort: number;
  readonly nodes: number;
  readonly slotSeconds: number;
  readonly seed: number;
  readonly durationMs: number;
  readonly file: SampleFile;
  /** Ends the soak early, with its figures. */
  readonly signal: AbortSignal;
  readonly print: (line: string) => void;
};

type Position = { readonly number: number; readonly slot: number };

export async function playSoak(options: SoakOptions): Promise<void> {
  const { dir, basePort, nodes, slotSeconds, seed, durationMs, file, signal, print } = options;
  const inspectorPort = (number: number) => basePort + INSPECTOR_OFFSET + number - 1;
  const network = new CrashNetwork(dir, basePort, nodes, {
    slotSeconds,
    preset: PRESET,
    runtimeFlags: (number) => [`--inspect=127.0.0.1:${inspectorPort(number)}`],
  });
  for (const { number } of network.nodes) network.start(number);
  const observer = await startObserver(readChainSpec(network.specPath), network.addresses);
  const targets = network.nodes.map(({ number, url }) => ({
    ...{ number, url },
    processId: () => network.processId(number),
    metricsUrl: `http://127.0.0.1:${portsOf(basePort, number).metrics}/metrics`,
    inspectorPort: inspectorPort(number),
  }));
  try {
    for (const node of network.nodes) {
      if (
        (await network.status(node, ({ finalizedNumber }) => finalizedNumber > 0, START_LIMIT_MS)) ===
        undefined
      )
        throw new Error(`the network did not become final: ${network.lastWords(node.number)}`);
    }
    const warmUpMs = Math.min(WARM_UP_MS, durationMs / 4);
    file.add({ kind: "start", atMs: Date.now(), warmUpMs });
    for (const target of targets) file.add(await readQuiet(target, "before"));
    const load = await startMixedLoad(
      network.nodes.map(({ url }) => url),
      network.chainId,
      randomStream(seed, "soak"),
    );
    const first = await finalized(network);
    const sampling = startSampling(targets, file, print);
    await pause(durationMs, undefined, { signal }).catch(() => undefined);
    await load.stop();
    await sampling.stop();
    const losses = await settle(network, load, observer);
    for (const target of targets) await quietAgain(target, file);
    const last = await finalized(network);
    const votes = { due: (last.slot - first.slot) * nodes, missing: 0 };
    for (let index = 0; index < nodes; index++) {
      votes.missing += observer.signed.slotsWithoutVote(index, first.slot + 1, last.slot);
    }
    file.add({
      kind: "closing",
      ...{ slots: last.slot - first.slot, blocks: last.number - first.number },
      ...{ votesDue: votes.due, votesMissing: votes.missing },
      ...{ done: load.done, failed: load.failed, losses },
    });
  } finally {
    await observer.close();
    await network.stop();
  }
}

/** @returns one sentence for each loss: a node that ended, transactions that are nowhere, states that differ. */
async function settle(
  network: CrashNetwork,
  load: MixedLoad,
  observer: Observer,
): Promise<readonly string[]> {
  const gone = network.nodes.filter(({ number }) => network.processId(number) === undefined);
  if (gone.length > 0) return gone.map(({ number }) => network.lastWords(number));
  const deadline = performance.now() + SETTLE_LIMIT_MS;
  for (;;) {
    const faults = [...observer.signed.slashable, ...(await unsettled(network, load))];
    if (faults.length === 0 || performance.now() > deadline) return faults;
    await pause(POLL_MS);
  }
}

/** What may still change: all transactions included, one block at one height, one state. */
async function unsettled(network: CrashNetwork, load: MixedLoad): Promise<readonly string[]> {
  try {
    const urls = network.nodes.map(({ url }) => url);
    const missing = (await Promise.all(urls.map((url) => load.missing(url)))).flat();
    const heights = await Promise.all(urls.map((url) => blockAt(url, "finalized")));
    const lowest = heights.reduce(
      (low, { number }) => (Number(number) < Number(low) ? number : low),
      "0xffffffff",
    );
    const blocks = await Promise.all(urls.map((url) => blockAt(url, lowest)));
    const roots = new Set(blocks.map(({ hash, stateRoot }) => `${hash} ${stateRoot}`));
    return [...missing, ...(roots.size > 1 ? [`block ${lowest} differs: ${[...roots].join(", ")}`] : [])];
  } catch (error) {
    return [`a node does not answer: ${error instanceof Error ? error.message : String(error)}`];
  }
}

type BlockHead = Readonly<Record<"number" | "timestamp", Hex> & Record<"hash" | "stateRoot", Hash>>;

const blockAt = (url: string, tag: string) => callJson<BlockHead>(url, "eth_getBlockByNumber", [tag, false]);

/** Of the first node. */
async function finalized(network: CrashNetwork): Promise<Position> {
  const { number, timestamp } = await blockAt(network.nodes[0]?.url ?? "", "finalized");
  const { genesisTime, params } = readChainSpec(network.specPath);
  return { number: Number(number), slot: (Number(timestamp) - genesisTime) / params.slotSeconds };
}

/** Sockets of subscribers close within the server's keep-alive time; what is open after a minute is a leak. */
async function quietAgain(target: Parameters<typeof readQuiet>[0], file: SampleFile): Promise<void> {
  const before = file.samples.find(
    (sample) => sample.kind === "quiet" && sample.when === "before" && sample.node === target.number,
  );
  const calm = before?.kind === "quiet" ? before.process.openFiles + before.resources : 0;
  for (let attempt = 0; ; attempt++) {
    const now = await readQuiet(target, "after");
    if (now.process.openFiles + now.resources <= calm || attempt >= 12) return file.add(now);
    await pause(5 * POLL_MS);
  }
}
