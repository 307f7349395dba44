/** A chain whose beacon blocks carry payloads that were really executed: what a checkpoint is made of. */
import { containersOf, type SignedBeaconBlock } from "../../consensus/chain-containers.ts";
import type { Genesis } from "../../consensus/genesis.ts";
import type { PresetName } from "../../consensus/presets.ts";
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
import type { Checkpoint } from "../../node/checkpoint/checkpoint.ts";
import type { ExecutionGenesis } from "../../node/execution/chain-states.ts";
import { ExecutionChain } from "../../node/execution/execution-chain.ts";
import { openContractMachine } from "../../node/execution/open-machine.ts";
import { decodeRequests, payloadOfBlock, toVmWithdrawal } from "../../node/execution/payload.ts";
import type { StateEntries } from "../../node/execution/port.ts";
import { makeChainSpecText } from "../../node/genesis/make-chain-spec.ts";
import { buildConsensusGenesis, buildExecutionGenesis, chainConfigOf } from "../../node/genesis.ts";
import type { Database } from "../../node/storage/database.ts";
import { type Hash, toHex } from "../../primitives/bytes.ts";
import { assert } from "../../primitives/errors.ts";
import { EMPTY_CODE_HASH } from "../../vm/state/account-codec.ts";
import { sourceOf } from "../support/execution-chain.ts";
import { withScratchDatabase } from "../support/scratch-database.ts";

export type BothSides = {
  readonly spec: ChainSpec;
  readonly genesis: Genesis;
  readonly executionGenesis: ExecutionGenesis;
};

export type MadeBeaconBlock = { readonly signed: SignedBeaconBlock; readonly state: ConsensusState };

/** @param preset the smaller its rings, the smaller its states. */
export function beginBothSides(preset: PresetName = "testnet"): BothSides {
  const text = makeChainSpecText(
    {
      ...{ preset, name: "spec", chainId: 8700, genesisTime: { atSeconds: 1_700_000_000 } },
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

/** A chain with a block in each of the slots, and what a node offers of its last one, with the period after it. */
export async function makeCheckpoint(
  sides: BothSides,
  slots: readonly number[],
): Promise<{ readonly made: readonly MadeBeaconBlock[]; readonly checkpoint: Checkpoint }> {
  const { SignedBeaconBlock } = containersOf(sides.spec.params);
  return withScratchDatabase("execution", async (database) => {
    const execution = openExecutionOf(sides, database);
    const made: MadeBeaconBlock[] = [];
    let { state } = sides.genesis;
    for (const slot of slots) {
      const next = await makeBothSidesBlock(sides, execution, state, slot);
      made.push(next);
      state = next.state;
    }
    const read = (table: "accounts" | "storage"): StateEntries => {
      const entries = execution.readState({ blockNumber: slots.length, table, after: new Uint8Array() });
      assert(entries !== undefined, "the last block's state is on disk");
      return entries;
    };
    const codes = new Set<Hash>();
    for (const [address] of read("accounts")) {
      const account = execution.stateAt(execution.head().hash)?.account(toHex(address));
      if (account !== undefined && account.codeHash !== EMPTY_CODE_HASH) codes.add(account.codeHash);
    }
    const [last = new Uint8Array(), ...before] = [...made]
      .reverse()
      .map(({ signed }) => SignedBeaconBlock.serialize(signed));
    const checkpoint = {
      ...{ epoch: (slots.at(-1) ?? 0) + 1, block: last, state: state.serialize(), ancestors: before },
      ...{ accounts: read("accounts"), storage: read("storage") },
      codes: [...codes].map((hash) => execution.readCode(hash) ?? new Uint8Array()),
    };
    return { made, checkpoint };
  });
}
