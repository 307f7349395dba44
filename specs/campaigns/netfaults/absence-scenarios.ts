/** Nodes that sleep, are away, part for long, or all start again. See specs/campaigns/netfaults/netfaults.md#scenarios. */
import type { FaultScenario } from "./fault-scenario.ts";
import { lasting } from "./link-scenarios.ts";

/** A little more than two periods (specs/consensus/params.md#presets, periodSlots). */
const TWO_PERIODS_SLOTS = 70;
const TEN_MINUTES_SLOTS = 600;
const HOUR_SLOTS = 3600;

const oneSleeps: FaultScenario = {
  name: "one-sleeps",
  summary: "one node is suspended for more than two periods, like a laptop",
  ...{ slots: TWO_PERIODS_SLOTS, resumeLimitSlots: 60, finalizesMeanwhile: false },
  async run(network, slots) {
    network.suspend([4]);
    await lasting(network, slots, [1]);
    network.resume([4]);
  },
};

const allSleep: FaultScenario = {
  name: "all-sleep",
  summary: "every node is suspended for more than two periods at once",
  ...{ slots: TWO_PERIODS_SLOTS, resumeLimitSlots: 60, finalizesMeanwhile: false },
  async run(network, slots) {
    const all = network.running();
    network.suspend(all);
    // No node can tell the time now.
    await new Promise((resolve) => setTimeout(resolve, slots * network.slotSeconds * 1000));
    network.resume(all);
    await network.until("the nodes answer again", () => true);
  },
};

const allRestart: FaultScenario = {
  name: "all-restart",
  summary: "all validators are killed at once and started again",
  ...{ slots: 10, resumeLimitSlots: 60, finalizesMeanwhile: false },
  async run(network, slots) {
    const all = network.running();
    await Promise.all(all.map((node) => network.kill(node)));
    await new Promise((resolve) => setTimeout(resolve, slots * network.slotSeconds * 1000));
    await Promise.all(all.map((node) => network.start(node)));
  },
};

const tenMinutesApart: FaultScenario = {
  name: "ten-minutes-apart",
  summary: "two halves part for ten minutes",
  ...{ slots: TEN_MINUTES_SLOTS, resumeLimitSlots: 120, finalizesMeanwhile: false, isLong: true },
  async run(network, slots) {
    network.partition([1, 2]);
    await lasting(network, slots);
    network.heal();
  },
};

const hourOffline: FaultScenario = {
  name: "hour-offline",
  summary: "one node is down for an hour while the others go on",
  ...{ slots: HOUR_SLOTS, resumeLimitSlots: 300, finalizesMeanwhile: false, isLong: true },
  async run(network, slots) {
    await network.stop(4);
    await lasting(network, slots, [1]);
    await network.start(4);
  },
};

export const ABSENCE_SCENARIOS: readonly FaultScenario[] = [
  oneSleeps,
  allSleep,
  allRestart,
  tenMinutesApart,
  hourOffline,
];
