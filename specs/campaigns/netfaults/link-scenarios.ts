/** Slow, lossy, cut and lopsided links. See specs/campaigns/netfaults/netfaults.md#scenarios. */
import type { FaultNetwork } from "./fault-network.ts";
import type { FaultScenario } from "./fault-scenario.ts";
import type { LinkFault } from "./fault-switch.ts";

const LASTS = 30;
const RESUMES = 40;

/** Waits by the clock of the nodes that run. */
export async function lasting(
  network: FaultNetwork,
  slots: number,
  nodes = network.running(),
): Promise<void> {
  const [first = 1] = nodes;
  const { slot = 0 } = (await network.status(first)) ?? {};
  await network.until("slots go by", (status) => status.slot >= slot + slots, {
    nodes: [first],
    limitSlots: 2 * slots + 60,
  });
}

const others = (network: FaultNetwork, node: number) => network.running().filter((other) => other !== node);

/** The same fault on every link; a mild one costs nothing. */
function everywhere(name: string, summary: string, fault: LinkFault, isMild: boolean): FaultScenario {
  return {
    ...{ name, summary, slots: LASTS, resumeLimitSlots: RESUMES, finalizesMeanwhile: isMild },
    async run(network, slots) {
      await network.everywhere(fault);
      await lasting(network, slots);
      await network.everywhere({});
    },
  };
}

const flapping: FaultScenario = {
  name: "flapping",
  summary: "node 4 loses all its links for two slots of every five",
  ...{ slots: LASTS, resumeLimitSlots: RESUMES, finalizesMeanwhile: false },
  async run(network, slots) {
    for (let round = 0; round < slots / 5; round++) {
      for (const other of others(network, 4)) await network.link(4, other, { isCut: true });
      await lasting(network, 2, [1]);
      for (const other of others(network, 4)) await network.link(4, other, {});
      await lasting(network, 3, [1]);
    }
  },
};

const linkCut: FaultScenario = {
  name: "link-cut",
  summary: "two nodes cannot reach each other but through the others",
  ...{ slots: LASTS, resumeLimitSlots: RESUMES, finalizesMeanwhile: true },
  async run(network, slots) {
    await network.link(1, 2, { isCut: true });
    await lasting(network, slots);
    await network.link(1, 2, {});
  },
};

const partition: FaultScenario = {
  name: "partition",
  summary: "two halves hear nothing of each other",
  ...{ slots: LASTS, resumeLimitSlots: RESUMES, finalizesMeanwhile: false },
  async run(network, slots) {
    network.partition([1, 2]);
    await lasting(network, slots);
    network.heal();
  },
};

const isolated: FaultScenario = {
  name: "isolated",
  summary: "one node is cut off, the others go on",
  ...{ slots: LASTS, resumeLimitSlots: RESUMES, finalizesMeanwhile: false },
  async run(network, slots) {
    network.partition([4]);
    await lasting(network, slots);
    network.heal();
  },
};

/** One node whose links are all of one kind, by direction. */
function oneNode(name: string, summary: string, out: LinkFault, back: LinkFault): FaultScenario {
  return {
    ...{ name, summary, slots: LASTS, resumeLimitSlots: RESUMES, finalizesMeanwhile: false },
    async run(network, slots) {
      for (const other of others(network, 4)) {
        await network.oneWay(4, other, out);
        await network.oneWay(other, 4, back);
      }
      await lasting(network, slots, [1]);
      for (const other of others(network, 4)) await network.link(4, other, {});
    },
  };
}

export const LINK_SCENARIOS: readonly FaultScenario[] = [
  everywhere("calm", "no fault: what this machine does by itself", {}, true),
  everywhere("latency-100", "100 ms each way on every link", { delayMs: 100 }, true),
  everywhere("latency-300", "300 ms each way on every link", { delayMs: 300 }, true),
  everywhere("latency-600", "600 ms each way: blocks come after the votes are due", { delayMs: 600 }, false),
  everywhere("jitter", "50 to 250 ms each way", { delayMs: 50, jitterMs: 200 }, true),
  everywhere("loss-5", "every twentieth frame is lost", { lossPercent: 5 }, true),
  everywhere("loss-20", "every fifth frame is lost", { lossPercent: 20 }, false),
  everywhere("bad-radio", "120 ms and a tenth lost", { delayMs: 100, jitterMs: 40, lossPercent: 10 }, false),
  linkCut,
  flapping,
  partition,
  isolated,
  oneNode(
    "slow-node",
    "node 4: 300 ms and 32 KB/s",
    { delayMs: 300, bytesPerSecond: 32_768 },
    { delayMs: 300, bytesPerSecond: 32_768 },
  ),
  oneNode("asymmetric", "node 4 hears at once and is heard 500 ms late", { delayMs: 500 }, {}),
  oneNode("deaf", "node 4 is heard and hears nothing", {}, { isCut: true }),
];
