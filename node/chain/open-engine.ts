/** The consensus engine where this node left it: anchor state, finalized blocks since, unfinalized ones on top. */
import { containersOf } from "../../consensus/chain-containers.ts";
import { createEngine, type EngineStart } from "../../consensus/engine.ts";
import type { Engine } from "../../consensus/engine-state.ts";
import type { Genesis } from "../../consensus/genesis.ts";
import type { ChainParams } from "../../consensus/params.ts";
import type { ConsensusState } from "../../consensus/state.ts";
import { stateTransition } from "../../consensus/state-transition.ts";
import { toHex } from "../../primitives/bytes.ts";
import type { ConsensusBlocks } from "../storage/consensus-blocks.ts";
import type { BlockCodec } from "./block-codec.ts";

export type OpenEngineOptions = Pick<
  EngineStart,
  "params" | "isSingleNode" | "hasSlasher" | "isFaulted" | "graffiti" | "nowMs"
> & {
  readonly genesis: Genesis;
  readonly blocks: ConsensusBlocks;
  readonly codec: BlockCodec;
  /** Registry indices of the keys this node holds, by the state it starts from. */
  readonly localValidators: (state: ConsensusState) => readonly number[];
};

/** Blocks of our own database were checked when they were stored: their signatures and payloads are not again. */
export function openEngine(options: OpenEngineOptions): Engine {
  const { params, genesis, blocks, codec } = options;
  const finality = blocks.finality();
  const anchorState = finalizedState(params, genesis, blocks, codec);
  const justifiedAtSlot = blocks.justification()?.justifiedAtSlot;
  return createEngine({
    params,
    genesisRoot: toHex(genesis.blockRoot),
    anchorState,
    anchorEpoch: finality?.epoch ?? 0,
    storedBlocks: [...blocks.unfinalizedBlocks()].map(({ bytes }) => codec.decode(bytes)),
    ...(justifiedAtSlot === undefined ? {} : { justifiedAtSlot }),
    localValidators: options.localValidators(anchorState),
    ...{ isSingleNode: options.isSingleNode ?? false, isFaulted: options.isFaulted ?? false },
    hasSlasher: options.hasSlasher ?? false,
    ...(options.graffiti === undefined ? {} : { graffiti: options.graffiti }),
    nowMs: options.nowMs,
  });
}

/** The state after the finalized block: the last anchor stored, and the finalized blocks after it applied. */
function finalizedState(
  params: ChainParams,
  genesis: Genesis,
  blocks: ConsensusBlocks,
  codec: BlockCodec,
): ConsensusState {
  const anchor = blocks.anchor();
  let state =
    anchor === undefined ? genesis.state : containersOf(params).BeaconState.deserializeToViewDU(anchor.bytes);
  const finalizedSlot = blocks.finality()?.slot ?? 0;
  for (const { bytes } of blocks.finalizedBlocks((anchor?.slot ?? 0) + 1, finalizedSlot + 1)) {
    state = stateTransition(state, codec.decode(bytes).message, params);
  }
  return state;
}
