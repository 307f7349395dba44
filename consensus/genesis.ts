/** From a chain specification to the first state and block. See specs/consensus/genesis.md. */

import { blsIsValidPublicKey } from "../primitives/bls.ts";
import { fromHex, toHex } from "../primitives/bytes.ts";
import { CodedError } from "../primitives/errors.ts";
import { type BeaconBlock, containersOf } from "./chain-containers.ts";
import type { Gwei, PublicKey, Validator } from "./containers.ts";
import type { ChainParams } from "./params.ts";
import type { ExecutionPayloadHeader } from "./payload-containers.ts";
import { computeProposers } from "./selection.ts";
import { type ConsensusState, getStateRoot, ZERO_ROOT } from "./state.ts";
import { FAR_FUTURE_EPOCH, GENESIS_EPOCH, GENESIS_SLOT, type UnixSeconds } from "./time.ts";
import { processWeightSnapshot } from "./weight-snapshots.ts";
import { computeEffectiveBalance } from "./withdrawal-credentials.ts";

export type GenesisValidator = {
  readonly pubkey: PublicKey;
  /** 32 bytes: where the stake is paid out to. */
  readonly withdrawalCredentials: Uint8Array;
  readonly amount: Gwei;
};

/** All a chain begins with; two nodes with equal specifications have equal genesis roots. */
export type ChainSpec = {
  readonly params: ChainParams;
  /** When slot 0 begins. */
  readonly genesisTime: UnixSeconds;
  readonly validators: readonly GenesisValidator[];
  /** Header of block 0 of the execution chain, made from the allocation. */
  readonly executionHeader: ExecutionPayloadHeader;
};

export type Genesis = {
  readonly state: ConsensusState;
  readonly block: BeaconBlock;
  readonly blockRoot: Uint8Array;
};

export type GenesisErrorDetail =
  | { readonly code: "GENESIS_NO_VALIDATORS" }
  | { readonly code: "GENESIS_INVALID_PUBLIC_KEY"; readonly validatorIndex: number }
  | { readonly code: "GENESIS_DUPLICATE_PUBLIC_KEY"; readonly validatorIndex: number }
  | { readonly code: "GENESIS_STAKE_TOO_SMALL"; readonly validatorIndex: number; readonly minimumGwei: Gwei };

/** A chain specification that no chain can begin with. */
export class GenesisError extends CodedError<GenesisErrorDetail> {}

/**
 * Deterministic; costs a key check (about 0.1 ms) per validator.
 *
 * @throws GenesisError
 */
export function createGenesis(spec: ChainSpec): Genesis {
  checkValidators(spec);
  const { params } = spec;
  const containers = containersOf(params);
  const block = containers.BeaconBlock.defaultValue();
  const bodyRoot = containers.BeaconBlockBody.hashTreeRoot(block.body);

  const state = createState(spec);
  state.latestBlockHeader = { ...state.latestBlockHeader, bodyRoot };
  processWeightSnapshot(state, 0, params);
  const proposers = [...computeProposers(state, 0, params), ...computeProposers(state, 1, params)];
  state.proposerLookahead = containers.ProposerLookahead.toViewDU(proposers);

  block.stateRoot = getStateRoot(state);
  return { state, block, blockRoot: containers.BeaconBlock.hashTreeRoot(block) };
}

/** Everything but what is derived from the validators in it. */
function createState(spec: ChainSpec): ConsensusState {
  const { params, executionHeader } = spec;
  const { BeaconState } = containersOf(params);
  const fields = BeaconState.fields;
  const validators = spec.validators.map((validator) => toValidator(validator, params));
  const version = fromHex(params.forks[0]?.version ?? "0x00000000");
  const count = validators.length;

  const state = BeaconState.defaultViewDU();
  state.genesisTime = spec.genesisTime;
  state.genesisValidatorsRoot = fields.validators.hashTreeRoot(validators);
  state.slot = GENESIS_SLOT;
  state.fork = { previousVersion: version, currentVersion: version, epoch: GENESIS_EPOCH };
  // The first randomness is the hash of the first execution block, which commits to the allocation.
  state.randaoMixes = fields.randaoMixes.toViewDU(
    new Array<Uint8Array>(params.randaoMixesLength).fill(executionHeader.blockHash),
  );
  state.validators = fields.validators.toViewDU(validators);
  state.balances = fields.balances.toViewDU(spec.validators.map(({ amount }) => amount));
  state.inactivityScores = fields.inactivityScores.toViewDU(new Array<number>(count).fill(0));
  state.hitsTarget = fields.hitsTarget.toViewDU(new Array<number>(count).fill(0));
  state.hitsHead = fields.hitsHead.toViewDU(new Array<number>(count).fill(0));
  state.latestExecutionPayloadHeader = executionHeader;
  const checkpoint = { epoch: GENESIS_EPOCH, root: ZERO_ROOT };
  state.finalized = checkpoint;
  state.justified = checkpoint;
  state.justifiedRing = fields.justifiedRing.toViewDU([checkpoint]);
  return state;
}

function toValidator(
  { pubkey, withdrawalCredentials, amount }: GenesisValidator,
  params: ChainParams,
): Validator {
  return {
    pubkey,
    withdrawalCredentials,
    effectiveBalance: computeEffectiveBalance(amount, withdrawalCredentials, params),
    slashed: false,
    activationEligibilityEpoch: GENESIS_EPOCH,
    activationEpoch: GENESIS_EPOCH,
    exitEpoch: FAR_FUTURE_EPOCH,
    withdrawableEpoch: FAR_FUTURE_EPOCH,
  };
}

function checkValidators({ validators, params }: ChainSpec): void {
  if (validators.length === 0) throw new GenesisError({ code: "GENESIS_NO_VALIDATORS" });
  const minimumGwei = params.minActivationBalanceGwei;
  const known = new Set<string>();
  for (const [validatorIndex, { pubkey, amount }] of validators.entries()) {
    if (!blsIsValidPublicKey(pubkey)) {
      throw new GenesisError({ code: "GENESIS_INVALID_PUBLIC_KEY", validatorIndex });
    }
    if (known.has(toHex(pubkey))) {
      throw new GenesisError({ code: "GENESIS_DUPLICATE_PUBLIC_KEY", validatorIndex });
    }
    if (amount < minimumGwei) {
      throw new GenesisError({ code: "GENESIS_STAKE_TOO_SMALL", validatorIndex, minimumGwei });
    }
    known.add(toHex(pubkey));
  }
}
