/** What a scenario of a bad network is, and how it is judged. See specs/campaigns/netfaults/netfaults.md#what-is-checked. */
import { untilInOrder } from "../../../testnet/scenarios/finality-scenarios.ts";
import { ScenarioFailure } from "../../../testnet/scenarios/scenario.ts";
import { assertNobodySlashed, assertSameStateRoots, collectEvidence } from "./chain-evidence.ts";
import type { FaultNetwork } from "./fault-network.ts";

export type FaultScenario = {
  readonly name: string;
  readonly summary: string;
  /** Slots the fault lasts; `--slots` sets another number for the long ones. */
  readonly slots: number;
  /** Slots from its end until every node finalizes what came after it. */
  readonly resumeLimitSlots: number;
  /** Whether finality must go on meanwhile, on all nodes. */
  readonly finalizesMeanwhile: boolean;
  /** Votes that may be missing meanwhile; undefined when the fault takes them by its nature. */
  readonly missedVotesLimit?: number;
  /** Left out of "all": it takes as long as it says. */
  readonly isLong?: boolean;
  /** Brings the fault about, waits until it lasted, ends it. */
  run(network: FaultNetwork, slots: number): Promise<void>;
};

export type FaultResult = {
  readonly scenario: string;
  readonly passed: boolean;
  readonly reason: string;
  readonly seconds: number;
  readonly figures?: {
    readonly slots: number;
    readonly lagMax: number;
    readonly resumedAfterSlots: number;
    readonly missedVotes: number;
    readonly dueVotes: number;
    readonly emptySlots: number;
    readonly finalSlot: number;
  };
};

/** A lag that a network in order may have, on a slow machine (specs/testnet/scenarios.md). */
const LAG_IN_ORDER_SLOTS = 8;
/** Slots after the fault that must be in the chain before votes are counted. */
const SETTLED_SLOTS = 10;
const POLL_MS = 250;
const ANSWER_ATTEMPTS = 240;

/** The slot it is, from the first node that tells. One that was just started answers after a while, at first with slot 0. */
async function slotOf(network: FaultNetwork, atLeast = 1): Promise<number> {
  for (let attempt = 0; attempt < ANSWER_ATTEMPTS; attempt++) {
    for (const node of network.running()) {
      const status = await network.status(node);
      if (status !== undefined && status.slot >= atLeast) return status.slot;
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  throw new ScenarioFailure("no node answers");
}

/** The largest lag that any node told while `work` went on. */
async function watchLag(network: FaultNetwork, work: Promise<void>): Promise<number> {
  let lagMax = 0;
  let isOver = false;
  const ended = work.finally(() => {
    isOver = true;
  });
  ended.catch(() => undefined);
  while (!isOver) {
    const statuses = await Promise.all(network.running().map((node) => network.status(node)));
    for (const status of statuses) lagMax = Math.max(lagMax, status?.finalityLagSlots ?? 0);
    await Promise.race([ended, new Promise((resolve) => setTimeout(resolve, POLL_MS))]);
  }
  await ended;
  return lagMax;
}

/** @throws ScenarioFailure with what went wrong. */
export async function judge(
  network: FaultNetwork,
  scenario: FaultScenario,
  slots: number,
): Promise<NonNullable<FaultResult["figures"]>> {
  await untilInOrder(network);
  const from = await slotOf(network);
  const lagMax = await watchLag(network, scenario.run(network, slots));
  const to = await slotOf(network, from);
  network.note(`the fault lasted ${to - from} slots`);
  await network.until(
    "every node finalizes what came after the fault",
    ({ finalizedEpoch, finalityLagSlots, syncing }) =>
      // An epoch is a slot in a testnet (specs/consensus/params.md#presets).
      finalizedEpoch > to && finalityLagSlots <= LAG_IN_ORDER_SLOTS && !syncing,
    { limitSlots: scenario.resumeLimitSlots },
  );
  const resumedAfterSlots = (await slotOf(network)) - to;
  await network.until("the chain goes on", ({ headSlot }) => headSlot >= to + SETTLED_SLOTS);
  await assertNobodySlashed(network);
  const finalSlot = await assertSameStateRoots(network);
  const evidence = await collectEvidence(network, from, to);
  const figures = { slots: to - from, lagMax, resumedAfterSlots, ...evidence, finalSlot };
  if (scenario.finalizesMeanwhile && lagMax > LAG_IN_ORDER_SLOTS) {
    throw new ScenarioFailure(`finality was ${lagMax} slots behind; ${describe(figures)}`);
  }
  if (evidence.missedVotes > (scenario.missedVotesLimit ?? Number.POSITIVE_INFINITY)) {
    throw new ScenarioFailure(`${evidence.missedVotes} votes are missing; ${describe(figures)}`);
  }
  return figures;
}

function describe(figures: object): string {
  return Object.entries(figures)
    .map(([name, value]) => `${name} ${value}`)
    .join(", ");
}
