/** Waiting for what a scenario expects, in slots. See specs/testnet/scenarios.md#the-scenarios. */
import { setTimeout as pause } from "node:timers/promises";
import { ScenarioFailure, type ScenarioNetwork } from "./scenario.ts";

/** Slots that a condition may take when the scenario does not say. */
const LIMIT_SLOTS = 60;
/** How often the nodes are asked, as a share of a slot. */
const POLLS_PER_SLOT = 4;

export function createUntil({
  status,
  running,
  slotSeconds,
}: Pick<ScenarioNetwork, "status" | "running"> & {
  readonly slotSeconds: number;
}): ScenarioNetwork["until"] {
  return async (what, test, { nodes = running(), limitSlots = LIMIT_SLOTS } = {}) => {
    const attempts = limitSlots * POLLS_PER_SLOT;
    for (let attempt = 0; ; attempt++) {
      const statuses = await Promise.all(nodes.map(status));
      if (statuses.every((found, index) => found !== undefined && test(found, nodes[index] ?? 0))) return;
      if (attempt >= attempts) throw new ScenarioFailure(`${what}: not after ${limitSlots} slots`);
      await pause((slotSeconds * 1000) / POLLS_PER_SLOT);
    }
  };
}
