/** Memory of an engine that follows a chain of many validators, in a process of its own. */
import "../node/polyfill.ts";
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { BitArray } from "@chainsafe/ssz";
import { isAggregated, isAggregator } from "../consensus/aggregators.ts";
import { containersOf } from "../consensus/chain-containers.ts";
import { createEngine, step } from "../consensus/engine.ts";
import type { EngineEvent } from "../consensus/engine-events.ts";
import type { Engine } from "../consensus/engine-state.ts";
import { getCommittees } from "../consensus/selection.ts";
import type { ConsensusState } from "../consensus/state.ts";
import { installNativeBackends } from "../node/native/install.ts";
import { assert } from "../primitives/errors.ts";
import { createScaleChain, makeScaleBlock, type ScaleChain, voteDataOf, wholeSlot } from "./scale-chain.ts";

/** More than the pool, the gossip window and two periods. */
const SLOTS = 100;
const AGGREGATORS = 16;

/** Megabytes resident at the end of a run of 100 slots in which everyone votes, keys and chain builder included. */
export function measureMemory(validators: number, slotsPerEpoch: number): number {
  const script = fileURLToPath(import.meta.url);
  const { stdout, stderr, status } = spawnSync(
    process.execPath,
    [script, String(validators), String(slotsPerEpoch)],
    { encoding: "utf8" },
  );
  if (status !== 0) throw new Error(`the memory run failed: ${stderr}`);
  return Number(stdout);
}

/** An engine that hears every block and vote of `slots` slots. `onSlot` is called after each. */
export function follow(
  chain: ScaleChain,
  slots: number,
  onSlot: (slot: number) => void = () => undefined,
): void {
  const { params, genesis, genesisRoot } = chain;
  const engine = createEngine({
    ...{ params, genesisRoot, anchorState: genesis, anchorEpoch: 0, localValidators: [], nowMs: 0 },
  });
  let parent = genesis;
  for (let slot = 1; slot <= slots; slot++) {
    const votes =
      slot > chain.firstVoteSlot ? [wholeSlot(chain, parent, voteDataOf(chain, parent, slot - 1))] : [];
    const made = makeScaleBlock(chain, parent, slot, votes);
    parent = made.postState;
    feed(engine, { type: "tick", nowMs: slot * params.slotSeconds * 1000 });
    const { SignedBeaconBlock } = containersOf(params);
    const bytes = SignedBeaconBlock.serialize({ message: made.block, signature: made.signature });
    feed(engine, {
      ...{ type: "blockReceived", block: SignedBeaconBlock.deserialize(bytes), arrivalMs: engine.nowMs },
      origin: { kind: "gossip", peer: "peer", messageId: `block ${slot}` },
    });
    if (slot >= chain.firstVoteSlot) sendVotes(chain, engine, parent, slot);
    onSlot(slot);
  }
  assert(engine.store.finalized.epoch > 0, "the chain was followed to finality");
}

/** As a node hears them: aggregates of all committees, or everyone's single votes. */
function sendVotes(chain: ScaleChain, engine: Engine, state: ConsensusState, slot: number): void {
  const { params } = chain;
  const { SignedAggregateAndProof, SingleAttestations } = containersOf(params);
  const data = voteDataOf(chain, state, slot);
  const committees = getCommittees(state, slot, params);
  const signature = new Uint8Array(96);
  for (const [committeeIndex, committee] of committees.entries()) {
    if (!isAggregated(committees)) {
      const votes = [...committee].map((attesterIndex) => ({
        committeeIndex,
        attesterIndex,
        data,
        signature,
      }));
      const attestations = SingleAttestations.deserialize(SingleAttestations.serialize(votes));
      feed(engine, { type: "attestationsReceived", attestations, peer: "peer", messageId: `votes ${slot}` });
      continue;
    }
    const committeeBits = BitArray.fromSingleBit(params.maxCommitteesPerSlot, committeeIndex);
    const selectionProof = drawnProof(committee.length, params);
    for (let i = 0; i < AGGREGATORS; i++) {
      // Each aggregator missed somebody else, so that none covers another.
      const aggregationBits = BitArray.fromBoolArray([...committee].map((_, position) => position !== i));
      const message = {
        ...{ aggregatorIndex: committee[i] ?? 0, selectionProof },
        aggregate: { aggregationBits, data, signature, committeeBits },
      };
      const bytes = SignedAggregateAndProof.serialize({ message, signature });
      const aggregate = SignedAggregateAndProof.deserialize(bytes);
      feed(engine, { type: "aggregateReceived", aggregate, peer: "peer", messageId: `${slot} ${i}` });
    }
  }
}

function drawnProof(committeeSize: number, params: ScaleChain["params"]): Uint8Array {
  const proof = new Uint8Array(96);
  while (!isAggregator(committeeSize, proof, params)) proof[0] = (proof[0] ?? 0) + 1;
  return proof;
}

/** Signatures are taken as good, payloads as valid: their cost is measured elsewhere. */
function feed(engine: Engine, event: EngineEvent): void {
  const events = [event];
  for (let next = events.shift(); next !== undefined; next = events.shift()) {
    for (const effect of step(engine, next)) {
      if (effect.type === "verifySignatures") {
        events.push({ type: "signaturesVerified", id: effect.id, valid: effect.sets.map(() => true) });
      } else if (effect.type === "executePayload") {
        events.push({ type: "payloadExecuted", id: effect.id, verdict: "valid" });
      }
    }
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await installNativeBackends();
  follow(createScaleChain(Number(process.argv[2]), Number(process.argv[3])), SLOTS);
  console.log(process.memoryUsage().rss / 1e6);
}
