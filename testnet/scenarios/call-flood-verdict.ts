/** Whether floods of calls cost votes or blocks, against the quiet times around them. See specs/testnet/scenarios.md#the-call-flood. */

/** What some slots brought, as every node saw them. */
export type FloodWindow = {
  readonly slots: number;
  readonly nodes: number;
  /** Of the network; each votes once a slot. */
  readonly validators: number;
  /** Slots that ended without a block, summed over the nodes. */
  readonly emptySlots: number;
  /** Votes that had not arrived when their slot ended, summed over the nodes. */
  readonly lateVotes: number;
  /** Requests for the chain id while it went on. */
  readonly asked: number;
  readonly answered: number;
};

/** Of a hundred slots or votes, how many more may be missing than in the quiet time: one slot of forty may be chance. */
const TOLERATED_PERCENT = 3;

/** Undefined when the flood cost nothing, else what it cost. */
export function floodFault(quiet: FloodWindow, flooded: FloodWindow): string | undefined {
  if (flooded.answered < flooded.asked) {
    return `eth_chainId was answered ${flooded.answered} of ${flooded.asked} times`;
  }
  const votes = percentLate(flooded) - percentLate(quiet);
  if (votes > TOLERATED_PERCENT) return `${votes.toFixed(1)} % more votes were late than in quiet`;
  const slots = percentEmpty(flooded) - percentEmpty(quiet);
  if (slots > TOLERATED_PERCENT) return `${slots.toFixed(1)} % more slots were empty than in quiet`;
  return undefined;
}

/** Windows of one network as one. @param windows at least one. */
export function sumOf(windows: readonly FloodWindow[]): FloodWindow {
  return windows.reduce((sum, { slots, emptySlots, lateVotes, asked, answered }) => ({
    ...sum,
    slots: sum.slots + slots,
    emptySlots: sum.emptySlots + emptySlots,
    lateVotes: sum.lateVotes + lateVotes,
    asked: sum.asked + asked,
    answered: sum.answered + answered,
  }));
}

export function describeFlood(window: FloodWindow): string {
  return [
    `${window.slots} slots`,
    `${percentEmpty(window).toFixed(1)} % empty`,
    `${percentLate(window).toFixed(1)} % of votes late`,
    `eth_chainId ${window.answered} of ${window.asked}`,
  ].join(", ");
}

function percentLate({ lateVotes, slots, nodes, validators }: FloodWindow): number {
  return (100 * lateVotes) / (slots * nodes * validators);
}

function percentEmpty({ emptySlots, slots, nodes }: FloodWindow): number {
  return (100 * emptySlots) / (slots * nodes);
}
