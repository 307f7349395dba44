/** The scenarios of the simulator and what each must show. See specs/simulation/simulation.md#scenarios. */
import { ok } from "node:assert/strict";
import type { Report } from "./observer.ts";
import type { LinkOptions } from "./simulated-network.ts";
import type { SimulatedNode } from "./simulated-node.ts";
import type { Scenario } from "./simulation.ts";

const GOOD_LINKS: LinkOptions = {
  ...{ minLatencyMs: 20, maxLatencyMs: 170, loss: 0.01, duplication: 0.02 },
  isConnected: () => true,
};

type Step = Scenario["events"][number];
const SLOT_MS = 1000;

/** Share `q` of the blocks were final after at most this many slots. */
export function finalityQuantile({ finalitySlots }: Report, q: number): number {
  const sorted = [...finalitySlots].sort((a, b) => a - b);
  return sorted[Math.floor((sorted.length - 1) * q)] ?? Number.POSITIVE_INFINITY;
}

/** First slot from `fromSlot` on at whose end every online node had finalized an epoch of at least `epoch`. */
function slotOfFinality({ slots }: Report, epoch: number, fromSlot: number): number {
  return slots.find(({ slot, finalized }) => slot >= fromSlot && finalized[0] >= epoch)?.slot ?? Infinity;
}

function goodLinks(slots: number): Scenario {
  return {
    ...{ name: "good-links", nodes: 16, slots, links: GOOD_LINKS, events: [] },
    summary: "16 nodes, links of 20 to 170 ms: every block is final about three slots after its own",
    check(report) {
      ok(
        finalityQuantile(report, 0.5) < 3.3,
        `half of the blocks final in ${finalityQuantile(report, 0.5)} slots`,
      );
      ok(finalityQuantile(report, 0.95) < 5.3, `finality p95 is ${finalityQuantile(report, 0.95)} slots`);
      const started = report.slots.filter(({ slot }) => slot >= 10);
      const worst = Math.max(...started.map(({ slot, finalized }) => slot - finalized[0]));
      ok(worst <= 8, `finality lags ${worst} slots`);
      return `finality lags ${worst} slots at worst`;
    },
  };
}

function sleepers(slots: number, from: number, to: number): Scenario {
  const sleeping = 6;
  const steps: Step[] = [
    [
      from * SLOT_MS,
      (nodes) =>
        nodes.slice(-sleeping).forEach((node) => {
          node.stop(false);
        }),
    ],
    [
      to * SLOT_MS,
      (nodes) =>
        nodes.slice(-sleeping).forEach((node) => {
          node.resume(false);
        }),
    ],
  ];
  return {
    ...{ name: "sleepers", nodes: 16, slots, links: GOOD_LINKS, events: steps },
    summary: `6 of 16 nodes sleep from slot ${from} to ${to}: the chain grows, nothing is final, then it is again`,
    check(report) {
      const asleep = report.slots.filter(({ slot }) => slot >= from + 5 && slot < to);
      const finalAtStart = asleep[0]?.finalized[1];
      for (const { finalized } of asleep) ok(finalized[1] === finalAtStart, "nothing is final with 10 of 16");
      const grown = asleep.filter(({ hasBlock }) => hasBlock).length / asleep.length;
      ok(grown > 0.4, `the chain grows in ${grown} of the slots`);
      const resumed = slotOfFinality(report, to, to) - to;
      ok(resumed <= 6, `finality of a new epoch ${resumed} slots after the return`);
      return `finality resumes ${resumed} slots after the return`;
    },
  };
}

function partition(slots: number, from: number, to: number): Scenario {
  const side = (node: number): boolean => node < 8;
  const links: LinkOptions = {
    ...GOOD_LINKS,
    isConnected: (a, b, nowMs) => side(a) === side(b) || nowMs < from * 1000 || nowMs >= to * 1000,
  };
  // Connections come back when the link does.
  const steps: Step[] = [
    [
      to * SLOT_MS,
      (nodes) =>
        nodes.forEach((node) => {
          node.greet();
        }),
    ],
  ];
  return {
    ...{ name: "partition", nodes: 16, slots, links, events: steps },
    summary: `two halves that cannot hear each other from slot ${from} to ${to}: both grow, neither finalizes, they join`,
    check(report) {
      const apart = report.slots.filter(({ slot }) => slot >= from + 5 && slot < to);
      for (const { finalized } of apart)
        ok(finalized[1] === apart[0]?.finalized[1], "halves do not finalize");
      const healed = slotOfFinality(report, to, to) - to;
      ok(healed <= 6, `finality of a new epoch ${healed} slots after the halves met`);
      return `finality resumes ${healed} slots after the halves met`;
    },
  };
}

function crashes(slots: number, every: number): Scenario {
  const steps: Step[] = [];
  for (let slot = 10; slot + 4 < slots; slot += every) {
    const victim = (nodes: readonly SimulatedNode[]): SimulatedNode => nodes[(slot * 7) % nodes.length]!;
    // In turn: away for three slots, and back within the slot in which the victim has just voted.
    const isShort = (slot / every) % 2 < 1;
    const fromMs = slot * SLOT_MS + (isShort ? 700 : 0);
    steps.push([fromMs, (nodes) => victim(nodes).stop(true)]);
    steps.push([fromMs + (isShort ? 100 : 3 * SLOT_MS), (nodes) => victim(nodes).resume(true)]);
  }
  return {
    ...{ name: "crashes", nodes: 8, slots, links: GOOD_LINKS, events: steps },
    summary: `every ${every} slots one of 8 nodes loses what was not synced and starts again, at once or 3 slots later`,
    check(report) {
      const last = report.slots.at(-1)!;
      ok(
        last.slot - last.finalized[0] <= 8,
        `finality lags ${last.slot - last.finalized[0]} slots at the end`,
      );
      ok(last.heads[0] >= last.slot - 3, "every node follows the chain");
      return `finality lags ${last.slot - last.finalized[0]} slots at the end`;
    },
  };
}

export const SCENARIOS: Readonly<Record<string, (slots: number) => Scenario>> = {
  "good-links": (slots) => goodLinks(slots),
  sleepers: (slots) => sleepers(slots, Math.floor(slots * 0.25), Math.floor(slots * 0.65)),
  partition: (slots) => partition(slots, Math.floor(slots * 0.25), Math.floor(slots * 0.65)),
  crashes: (slots) => crashes(slots, 6),
};
