/** What the chain itself says of a stretch of slots: votes and blocks that are missing, who was slashed, whether all agree. See specs/campaigns/netfaults/netfaults.md#what-is-checked. */
import { ScenarioFailure, type ScenarioNetwork } from "../../../testnet/scenarios/scenario.ts";

export type Evidence = {
  /** Votes that no block of the canonical chain holds, of those that were due. */
  readonly missedVotes: number;
  readonly dueVotes: number;
  readonly emptySlots: number;
};

type Validators = { readonly data: readonly { readonly validator: { readonly slashed: boolean } }[] };
type Block = {
  readonly data?: {
    readonly message: {
      readonly body: {
        readonly attestations: readonly {
          readonly aggregation_bits: string;
          readonly data: { readonly slot: string };
        }[];
      };
    };
  };
};
type Header = {
  readonly data?: {
    readonly root: string;
    readonly header: { readonly message: { readonly slot: string; readonly state_root: string } };
  };
};

/** Blocks may include a vote this many slots late (specs/consensus/params.md#presets, timelyTargetSlots); later ones count as missed. */
const INCLUSION_SLOTS = 8;
/** Blocks fetched at once. */
const FETCHES_AT_ONCE = 8;

/**
 * Votes of slots `from` to `to` on node 1's canonical chain, both included. The chain should be `INCLUSION_SLOTS`
 * further, or the last votes are not in yet.
 */
export async function collectEvidence(
  network: Pick<ScenarioNetwork, "beacon">,
  from: number,
  to: number,
): Promise<Evidence> {
  const validators = await slashedAndAll(network, 1);
  const voted = new Map<number, Set<number>>();
  let emptySlots = 0;
  const slots = Array.from({ length: to + INCLUSION_SLOTS - from + 1 }, (_, index) => from + index);
  for (let i = 0; i < slots.length; i += FETCHES_AT_ONCE) {
    const some = slots.slice(i, i + FETCHES_AT_ONCE);
    const blocks = await Promise.all(
      some.map((slot) => network.beacon(1, `/eth/v2/beacon/blocks/${slot}`) as Promise<Block>),
    );
    for (const [index, { data }] of blocks.entries()) {
      if (data === undefined && (some[index] ?? 0) <= to) emptySlots++;
      for (const { aggregation_bits, data: vote } of data?.message.body.attestations ?? []) {
        const of = voted.get(Number(vote.slot)) ?? new Set();
        for (const position of setBits(aggregation_bits)) of.add(position);
        voted.set(Number(vote.slot), of);
      }
    }
  }
  const dueVotes = (to - from + 1) * validators.all;
  let found = 0;
  for (let slot = from; slot <= to; slot++) found += voted.get(slot)?.size ?? 0;
  return { missedVotes: dueVotes - found, dueVotes, emptySlots };
}

/** Positions of the bits set, without the last one, which only says how long the list is. */
export function setBits(hex: string): readonly number[] {
  const positions: number[] = [];
  for (const [index, byte] of Buffer.from(hex.slice(2), "hex").entries()) {
    for (let bit = 0; bit < 8; bit++) if ((byte & (1 << bit)) !== 0) positions.push(8 * index + bit);
  }
  return positions.slice(0, -1);
}

async function slashedAndAll(network: Pick<ScenarioNetwork, "beacon">, node: number) {
  const { data } = (await network.beacon(node, "/eth/v1/beacon/states/head/validators")) as Validators;
  return { all: data.length, slashed: data.filter(({ validator }) => validator.slashed).length };
}

/** @throws ScenarioFailure when somebody was slashed, on any node. */
export async function assertNobodySlashed(network: ScenarioNetwork): Promise<void> {
  for (const node of network.running()) {
    const { slashed } = await slashedAndAll(network, node);
    if (slashed > 0) throw new ScenarioFailure(`node ${node}: ${slashed} validators are slashed`);
  }
}

/** @returns the slot of the final block they agree on. @throws ScenarioFailure when two nodes have other roots. */
export async function assertSameStateRoots(network: ScenarioNetwork): Promise<number> {
  const final = await headersAt(network, "finalized");
  const slot = Math.min(...final.map(({ header }) => Number(header.message.slot)));
  const headers = await headersAt(network, String(slot));
  const roots = new Set(headers.map(({ root, header }) => `${root} ${header.message.state_root}`));
  if (roots.size !== 1)
    throw new ScenarioFailure(`slot ${slot}: nodes have other blocks: ${[...roots].join("; ")}`);
  return slot;
}

/** @throws ScenarioFailure when a node does not have it. */
async function headersAt(
  network: ScenarioNetwork,
  block: string,
): Promise<readonly NonNullable<Header["data"]>[]> {
  return Promise.all(
    network.running().map(async (node) => {
      const answer = (await network.beacon(node, `/eth/v1/beacon/headers/${block}`)) as Header;
      if (answer.data === undefined) {
        throw new ScenarioFailure(`node ${node} has no block at ${block}: ${JSON.stringify(answer)}`);
      }
      return answer.data;
    }),
  );
}
