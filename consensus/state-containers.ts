/** The consensus state as an SSZ tree. See specs/consensus/containers.md#beaconstate. */
import {
  BitListType,
  type CompositeViewDU,
  ContainerType,
  ListBasicType,
  ListCompositeType,
  type ValueOf,
  VectorBasicType,
  VectorCompositeType,
} from "@chainsafe/ssz";
import { Bytes32, Root, Uint8, Uint16, Uint53, Uint64 } from "../primitives/ssz-types.ts";
import {
  BeaconBlockHeader,
  Checkpoint,
  Fork,
  PendingDeposit,
  PendingPartialWithdrawal,
  Validator,
} from "./containers.ts";
import type { ChainParams } from "./params.ts";
import type { PayloadContainers } from "./payload-containers.ts";
import { ValueContainerType } from "./value-container.ts";

export type StateContainers = ReturnType<typeof createStateContainers>;
/** Votes for one target epoch with a right target, by validator index. */
export type Tally = ValueOf<StateContainers["Tally"]>;
/** Who was already credited in an epoch, by validator index. */
export type SeenVotes = ValueOf<StateContainers["SeenVotes"]>;
/** The tree-backed state: cheap to clone, states share what they do not change. */
export type BeaconStateView = CompositeViewDU<StateContainers["BeaconState"]>;
export type BeaconStateValue = ValueOf<StateContainers["BeaconState"]>;

const named = (typeName: string) => ({ typeName, jsonCase: "eth2" }) as const;

/** Tallies are a ring over target epochs: an entry is overwritten only once its votes are too old to be included. */
export function tallyRingLength(params: ChainParams): number {
  const shortestEpoch = Math.min(...params.forks.map((fork) => fork.slotsPerEpoch));
  return Math.ceil((params.slotsPerHistoricalRoot + params.targetLagSlots) / shortestEpoch) + 1;
}

export function createStateContainers(
  params: ChainParams,
  ExecutionPayloadHeader: PayloadContainers["ExecutionPayloadHeader"],
) {
  const { validatorRegistryLimit: registryLimit, periodSlots } = params;
  const voting = createVotingContainers(params);
  const BeaconState = new ContainerType(
    {
      genesisTime: Uint53,
      genesisValidatorsRoot: Root,
      slot: Uint53,
      fork: Fork,
      latestBlockHeader: BeaconBlockHeader,
      blockRoots: new VectorCompositeType(Root, params.slotsPerHistoricalRoot),
      randaoMixes: new VectorCompositeType(Bytes32, params.randaoMixesLength),
      slashings: new VectorBasicType(Uint64, params.slashingsLength),
      validators: new ListCompositeType(Validator, registryLimit),
      balances: new ListBasicType(Uint64, registryLimit),
      inactivityScores: new ListBasicType(Uint53, registryLimit),
      hitsTarget: new ListBasicType(Uint8, registryLimit),
      hitsHead: new ListBasicType(Uint8, registryLimit),
      proposerLookahead: new VectorBasicType(Uint53, 2 * periodSlots),
      latestExecutionPayloadHeader: ExecutionPayloadHeader,
      nextWithdrawalIndex: Uint53,
      nextWithdrawalValidatorIndex: Uint53,
      depositBalanceToConsume: Uint64,
      exitBalanceToConsume: Uint64,
      earliestExitEpoch: Uint53,
      pendingDeposits: new ListCompositeType(PendingDeposit, params.pendingDepositsLimit),
      pendingPartialWithdrawals: new ListCompositeType(
        PendingPartialWithdrawal,
        params.pendingPartialWithdrawalsLimit,
      ),
      finalized: Checkpoint,
      justified: Checkpoint,
      justifiedRing: new ListCompositeType(Checkpoint, params.justifiedRingLimit),
      tallies: new VectorCompositeType(voting.Tally, tallyRingLength(params)),
      seen: new ListCompositeType(voting.SeenVotes, params.timelyTargetSlots + 2),
      ffgWeights: new VectorCompositeType(voting.FfgWeights, params.randaoMixesLength),
    },
    named("BeaconState"),
  );
  return { ...voting, BeaconState };
}

function createVotingContainers(params: ChainParams) {
  const VoterBits = new BitListType(params.validatorRegistryLimit);
  const SourceVotes = new ContainerType({ sourceEpoch: Uint53, bits: VoterBits }, named("SourceVotes"));
  const Tally = new ValueContainerType(
    {
      epoch: Uint53,
      bits: VoterBits,
      bySource: new ListCompositeType(SourceVotes, params.finalitySpanEpochs),
    },
    named("Tally"),
  );
  const SeenVotes = new ValueContainerType({ epoch: Uint53, bits: VoterBits }, named("SeenVotes"));
  const FfgWeights = new ListBasicType(Uint16, params.validatorRegistryLimit);
  return { Tally, SeenVotes, FfgWeights };
}
