/** Scenarios without a Byzantine node: slow links, sleepers, partitions, crashes. See specs/simulation/scenarios.md. */
import { honestOrphansBetween, isFinalPast, quantile, slotsToFinality, worstLag } from "./findings.ts";
import type { Part, Scenario } from "./plan.ts";
import type { LinkOptions } from "./simulated-network.ts";
import { shortPeriods } from "./simulator-params.ts";
import { must } from "./violation.ts";

export const GOOD_LINKS: LinkOptions = {
  ...{ minLatencyMs: 20, maxLatencyMs: 170, loss: 0.01, duplication: 0.02 },
  isConnected: () => true,
};
const SLOT_MS = 1000;
const half = (value: number): string => value.toFixed(2);

/** The nodes sleep, or crash, from one slot to another. */
export function awayPart(
  label: string,
  nodes: readonly number[],
  from: number,
  to: number,
  isCrash = false,
): Part {
  return {
    label,
    steps: [
      [
        from * SLOT_MS,
        (simulation) =>
          nodes.forEach((node) => {
            simulation.nodes[node]?.stop(isCrash);
          }),
      ],
      [
        to * SLOT_MS,
        (simulation) =>
          nodes.forEach((node) => {
            simulation.nodes[node]?.resume(isCrash);
          }),
      ],
    ],
  };
}

/** Nodes below `first` cannot hear the others; they greet each other when they can again. */
export function partitionParts(first: number, from: number, to: number): readonly Part[] {
  const isApart = (a: number, b: number): boolean => a < first !== b < first;
  return [
    {
      label: `partition in slots ${from} to ${to}`,
      cuts: (a, b, nowMs) => isApart(a, b) && nowMs >= from * SLOT_MS && nowMs < to * SLOT_MS,
    },
    {
      label: "greeting after the partition",
      steps: [
        [
          to * SLOT_MS,
          ({ nodes }) =>
            nodes.forEach((node) => {
              node.greet();
            }),
        ],
      ],
    },
  ];
}

const upTo = (count: number, from = 0): number[] => Array.from({ length: count }, (_, index) => from + index);

function links(
  name: string,
  summary: string,
  options: Partial<LinkOptions>,
  p50: number,
  p95: number,
  lag = 8,
): Scenario {
  return {
    summary,
    plan: (_seed, { nodes = 16, slots = 40 }) => ({
      ...{ name, nodes, slots, links: { ...GOOD_LINKS, ...options }, parts: [] },
      check(report) {
        const [half50, half95] = [0.5, 0.95].map((q) => quantile(report.finalitySlots, q)) as [
          number,
          number,
        ];
        must(half50 <= p50 && half95 <= p95, 8, `finality p50 ${half(half50)}, p95 ${half(half95)} slots`);
        // An empty slot or two in a row, of proposers whose block came too late for its votes.
        must(worstLag(report, 10) <= lag, 8, `finality lags ${worstLag(report, 10)} slots`);
        return `finality lags ${worstLag(report, 10)} slots at worst`;
      },
    }),
  };
}

const sleepers: Scenario = {
  summary: "6 of 16 sleep for 40 % of the run: blocks but no finality, then finality within 4 slots",
  plan(_seed, { nodes = 16, slots = 60 }) {
    const [from, to] = [Math.floor(slots * 0.2), Math.floor(slots * 0.6)];
    const asleep = upTo(Math.ceil(nodes * 0.36), nodes - Math.ceil(nodes * 0.36));
    return {
      ...{ name: "sleepers", nodes, slots, links: GOOD_LINKS },
      parts: [awayPart(`sleep of ${asleep.length}`, asleep, from, to)],
      check(report) {
        const during = report.slots.filter(({ slot }) => slot >= from + 5 && slot < to);
        // Votes of before may find a block late, when proposers that sleep come one after the other.
        const ofBefore = during.every(({ finalized }) => (finalized[1] ?? 0) <= from);
        must(ofBefore, 9, "something is final with 10 of 16");
        const grown = during.filter(({ hasBlock }) => hasBlock).length / during.length;
        must(grown > 0.3, 9, `the chain grows in ${half(grown)} of the slots`);
        const resumed = slotsToFinality(report, to);
        must(resumed <= 6, 9, `finality of a new epoch ${resumed} slots after the return`);
        const lost = honestOrphansBetween(report, from + 5, to);
        must(lost <= 1, 9, `${lost} blocks of those awake were lost`);
        return `finality resumes ${resumed} slots after the return`;
      },
    };
  },
};

const longSleep: Scenario = {
  summary:
    "6 of 16 sleep, wake among others far ahead and finish their sync before they do duties: nothing is lost",
  plan(_seed, { nodes = 16, slots = 60 }) {
    const [from, to] = [10, 45];
    // Slow links, so that a proposer that wakes has to wait for its sync.
    return {
      ...{ name: "long-sleep", nodes, slots, links: { ...GOOD_LINKS, minLatencyMs: 60, maxLatencyMs: 250 } },
      parts: [awayPart("sleep of 6", upTo(6, nodes - 6), from, to)],
      check(report) {
        const lost = honestOrphansBetween(report, to - 1, slots - 4);
        must(lost === 0, 9, `${lost} blocks around the return were lost`);
        must(
          slotsToFinality(report, to) <= 8,
          9,
          `finality resumes ${slotsToFinality(report, to)} slots after the return`,
        );
        return `finality resumes ${slotsToFinality(report, to)} slots after the return`;
      },
    };
  },
};

const longOutage: Scenario = {
  summary: "5 of 12 sleep for longer than votes are remembered; when they are back, the chain is final again",
  plan(_seed, { nodes = 12, slots = 90 }) {
    const [from, to] = [8, 75];
    return {
      ...{ name: "long-outage", nodes, slots, links: GOOD_LINKS },
      params: shortPeriods(40),
      parts: [awayPart("sleep of 5", upTo(5, nodes - 5), from, to)],
      isDone: isFinalPast(to - 6),
      check(report) {
        const resumed = slotsToFinality(report, to);
        must(resumed <= 8, 8, `finality resumes ${resumed} slots after the return`);
        return `finality resumes ${resumed} slots after the return`;
      },
    };
  },
};

const staleBranch: Scenario = {
  summary:
    "5 of 12 lived apart while the rest slept; one that wakes shows them the others' branch, theirs stays",
  plan(_seed, { nodes = 12, slots = 46 }) {
    const [apart, asleep, back] = [8, 16, 34];
    const [cut] = partitionParts(5, apart, back);
    return {
      ...{ name: "stale-branch", nodes, slots, links: GOOD_LINKS, params: { lmdExpirySlots: 8 } },
      parts: [
        cut!,
        awayPart("sleep of 6", upTo(nodes - 6, 6), asleep, slots + 1),
        awayPart("sleep of 1", [5], asleep, back),
      ],
      check(report) {
        // Nobody of the other branch was awake then.
        const left = report.chain.filter((slot) => slot > asleep && slot < back).length;
        must(left >= 2, 9, `only ${left} blocks of those awake are left`);
        return `${left} blocks of those awake stay`;
      },
    };
  },
};

const partition: Scenario = {
  summary:
    "two halves cannot hear each other for half of the run: both grow, neither finalizes, they join within 4 slots",
  plan(_seed, { nodes = 12, slots = 60 }) {
    const [from, to] = [Math.floor(slots * 0.2), Math.floor(slots * 0.7)];
    return {
      ...{ name: "partition", nodes, slots, links: GOOD_LINKS },
      parts: partitionParts(nodes / 2, from, to),
      check(report) {
        const apart = report.slots.filter(({ slot }) => slot >= from + 5 && slot < to);
        must(
          apart.every(({ finalized }) => finalized[1] === apart[0]?.finalized[1]),
          9,
          "a half finalizes",
        );
        const healed = slotsToFinality(report, to);
        must(healed <= 6, 9, `finality of a new epoch ${healed} slots after the halves met`);
        return `finality resumes ${healed} slots after the halves met`;
      },
    };
  },
};

const crashes: Scenario = {
  summary: "one of 8 after the other loses what was not synced and starts again, at once or 3 slots later",
  plan(_seed, { nodes = 8, slots = 50 }) {
    const parts: Part[] = [];
    for (let turn = 0; 12 + turn * 4 < slots; turn++) {
      const slot = 6 + turn * 4;
      const victim = (slot * 7) % nodes;
      // In turn: away for three slots, and back within the slot in which the victim has just voted.
      const isShort = turn % 2 === 1;
      const from = slot + (isShort ? 0.7 : 0);
      parts.push(awayPart(`crash of ${victim} at ${from}`, [victim], from, from + (isShort ? 0.1 : 3), true));
    }
    return {
      ...{ name: "crashes", nodes, slots, links: GOOD_LINKS, parts },
      check(report) {
        const last = report.slots.at(-1)!;
        must(
          worstLag(report, slots - 1) <= 8,
          8,
          `finality lags ${worstLag(report, slots - 1)} slots at the end`,
        );
        must(last.heads[0] >= last.slot - 3, 8, "a node does not follow the chain");
        return `finality lags ${worstLag(report, slots - 1)} slots at the end`;
      },
    };
  },
};

/** More voters a slot than may vote unaggregated: four committees of four, half of whose members aggregate. */
const committees: Scenario = {
  summary: "four committees vote on subnets and are aggregated: final as soon as without",
  plan(_seed, { nodes = 16, slots = 32 }) {
    return {
      ...{ name: "committees", nodes, slots, links: GOOD_LINKS, parts: [] },
      params: {
        ...{ unaggregatedVoterLimit: 8, targetCommitteeSize: 4, targetAggregatorsPerCommittee: 2 },
      },
      check(report) {
        const p50 = quantile(report.finalitySlots, 0.5);
        must(p50 <= 3.2, 8, `half of the blocks are final in ${half(p50)} slots`);
        must(worstLag(report, 10) <= 8, 8, `finality lags ${worstLag(report, 10)} slots`);
        return `finality lags ${worstLag(report, 10)} slots at worst`;
      },
    };
  },
};

export const HONEST_SCENARIOS: Readonly<Record<string, Scenario>> = {
  "good-links": links(
    "good-links",
    "links of 20 to 170 ms: final about three slots after the proposal",
    {},
    3.2,
    5.3,
  ),
  "slow-links": links(
    "slow-links",
    "links of 100 to 600 ms, more than half a slot: final in less than 4.5 slots",
    { minLatencyMs: 100, maxLatencyMs: 600, loss: 0, duplication: 0 },
    4.5,
    6.5,
  ),
  "tight-links": links(
    "tight-links",
    "links of 300 to 700 ms: half of the voters see the block in time, all vote for one target",
    { minLatencyMs: 300, maxLatencyMs: 700, loss: 0, duplication: 0 },
    8,
    12,
    16,
  ),
  "late-messages": links(
    "late-messages",
    "a fifth of all messages comes one to three slots late",
    { late: 0.2 },
    4.5,
    8.5,
    16,
  ),
  ...{
    sleepers,
    "stale-branch": staleBranch,
    "long-sleep": longSleep,
    "long-outage": longOutage,
    partition,
    committees,
    crashes,
  },
};
