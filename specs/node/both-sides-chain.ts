/** A chain whose beacon blocks carry payloads that were really executed: what a checkpoint is made of. */
import { containersOf, type SignedBeaconBlock } from "../../consensus/chain-containers.ts";
import type { Genesis } from "../../consensus/genesis.ts";
import { processSlots } from "../../consensus/process-slots.ts";
import { getExpectedWithdrawals } from "../../consensus/process-withdrawals.ts";
import {
  type ConsensusState,
  forkState,
  getCurrentRandaoMix,
  getLatestBlockRoot,
  getProposerIndex,
  getStateRoot,
} from "../../consensus/state.ts";
import { applyBlock } from "../../consensus/state-transition.ts";
import { computeTimestampAtSlot } from "../../consensus/time.ts";
import { type ChainSpec, parseChainSpec } from "../../node/chain-spec.ts";
import type { ExecutionGenesis } from "../../node/execution/chain-states.ts";
import { ExecutionChain } from "../../node/execution/execution-chain.ts";
import { openContractMachine } from "../../node/execution/open-machine.ts";
import { decodeRequests, payloadOfBlock, toVmWithdrawal } from "../../node/execution/payload.ts";
import { makeChainSpecText } from "../../node/genesis/make-chain-spec.ts";
import { buildConsensusGenesis, buildExecutionGenesis, chainConfigOf } from "../../node/genesis.ts";
import type { Database } from "../../node/storage/database.ts";
import { toHex } from "../../primitives/bytes.ts";
import { sourceOf } from "../support/execution-chain.ts";

export type BothSides = {
  readonly spec: ChainSpec;
  readonly genesis: Genesis;
  readonly executionGenesis: ExecutionGenesis;
};

export type MadeBeaconBlock = { readonly signed: SignedBeaconBlock; readonly state: ConsensusState };

export function beginBothSides(): BothSides {
  const text = makeChainSpecText(
    {
      ...{ preset: "testnet", name: "spec", chainId: 8700, genesisTime: { atSeconds: 1_700_000_000 } },
      ...{ interopValidators: 2, withdrawalAddress: `0x${"11".repeat(20)}`, stake: 40, devAccounts: true },
    },
    0,
  );
  const spec = parseChainSpec(text, "spec");
  const executionGenesis = buildExecutionGenesis(spec);
  return { spec, executionGenesis, genesis: buildConsensusGenesis(spec, executionGenesis.block) };
}

export function openExecutionOf({ spec, executionGenesis }: BothSides, database: Database): ExecutionChain {
  return new ExecutionChain({
    database,
    config: chainConfigOf(spec),
    genesis: executionGenesis,
    machine: openContractMachine(),
  });
}

/** The block of `slot` on top of a state; executed, and made final on the execution side. Nobody signs it. */
export async function makeBothSidesBlock(
  { spec }: BothSides,
  execution: ExecutionChain,
  parent: ConsensusState,
  slot: number,
): Promise<MadeBeaconBlock> {
  const { params } = spec;
  const { BeaconBlockBody } = containersOf(params);
  const pre = forkState(parent);
  processSlots(pre, slot, params);
  const parentRoot = getLatestBlockRoot(pre);
  const { block, requests } = execution.build(
    execution.head(),
    {
      timestamp: computeTimestampAtSlot(pre.genesisTime, slot, params),
      prevRandao: toHex(getCurrentRandaoMix(pre, params)),
      feeRecipient: `0x${"fe".repeat(20)}`,
      withdrawals: getExpectedWithdrawals(pre, params).withdrawals.map(toVmWithdrawal),
      parentBeaconBlockRoot: toHex(parentRoot),
      gasLimitTarget: 30_000_000n,
      extraData: new Uint8Array(),
    },
    sourceOf([]),
    () => false,
  );
  await execution.importBlock(block);
  execution.setForkchoice({ head: block.hash, safe: block.hash, finalized: block.hash });
  const draft = {
    ...{
      slot,
      proposerIndex: getProposerIndex(pre, slot, params)!,
      parentRoot,
      stateRoot: new Uint8Array(32),
    },
    body: {
      ...BeaconBlockBody.defaultValue(),
      executionPayload: payloadOfBlock(block),
      executionRequests: decodeRequests(requests, params),
    },
  };
  const state = applyBlock(parent, draft, params);
  const message = { ...draft, stateRoot: getStateRoot(state) };
  return { signed: { message, signature: new Uint8Array(96) }, state };
}
