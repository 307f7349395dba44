/** What the nodes' own metrics say while they are attacked: memory, event-loop lag, bans. */
import type { FaultNetwork } from "../netfaults/fault-network.ts";

export type Figures = {
  readonly residentBytes: number;
  /** The worst 99th percentile, and the worst of all, of the consensus thread, which has the network. */
  readonly lagP99Ms: number;
  readonly lagMaxMs: number;
  /** Summed over the nodes. */
  readonly peerBans: number;
  readonly addressBans: number;
};

const NOTHING: Figures = { residentBytes: 0, lagP99Ms: 0, lagMaxMs: 0, peerBans: 0, addressBans: 0 };
const SCRAPE_MS = 1000;

/** The sum of the samples with this name and these labels. */
export function sampleSum(text: string, name: string, labels: Readonly<Record<string, string>> = {}): number {
  let sum = 0;
  for (const line of text.split("\n")) {
    if (!line.startsWith(`${name}{`) && !line.startsWith(`${name} `)) continue;
    if (!Object.entries(labels).every(([key, value]) => line.includes(`${key}="${value}"`))) continue;
    sum += Number(line.slice(line.lastIndexOf(" ") + 1));
  }
  return sum;
}

async function scrape(network: FaultNetwork): Promise<Figures> {
  const each = await Promise.all(
    network.running().map(async (node): Promise<Figures> => {
      const text = await network.metrics(node).catch(() => "");
      const lag = (quantile: string) =>
        1000 * sampleSum(text, "jurat_event_loop_lag_seconds", { thread: "consensus", quantile });
      return {
        residentBytes: sampleSum(text, "process_resident_memory_bytes"),
        lagP99Ms: lag("p99"),
        lagMaxMs: lag("max"),
        peerBans: sampleSum(text, "jurat_peer_bans_total", { who: "peer" }),
        addressBans: sampleSum(text, "jurat_peer_bans_total", { who: "address" }),
      };
    }),
  );
  const max = (name: keyof Figures) => Math.max(...each.map((one) => one[name]));
  const sum = (name: keyof Figures) => each.reduce((total, one) => total + one[name], 0);
  return {
    ...{ residentBytes: max("residentBytes"), lagP99Ms: max("lagP99Ms"), lagMaxMs: max("lagMaxMs") },
    ...{ peerBans: sum("peerBans"), addressBans: sum("addressBans") },
  };
}

/** The highest of each over the time of `work`; bans and memory as they grew. */
export async function watchFigures(
  network: FaultNetwork,
  work: Promise<unknown>,
): Promise<Figures & { readonly grownBytes: number }> {
  let isOver = false;
  const ended = work.finally(() => {
    isOver = true;
  });
  ended.catch(() => undefined);
  const before = await scrape(network);
  let worst = NOTHING;
  do {
    await Promise.race([ended, new Promise((resolve) => setTimeout(resolve, SCRAPE_MS))]);
    const now = await scrape(network);
    worst = {
      residentBytes: Math.max(worst.residentBytes, now.residentBytes),
      lagP99Ms: Math.max(worst.lagP99Ms, now.lagP99Ms),
      lagMaxMs: Math.max(worst.lagMaxMs, now.lagMaxMs),
      peerBans: now.peerBans - before.peerBans,
      addressBans: now.addressBans - before.addressBans,
    };
  } while (!isOver);
  await ended;
  return { ...worst, grownBytes: worst.residentBytes - before.residentBytes };
}
