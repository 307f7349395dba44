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

const named = (typeName: string) => ({ typeName, jsonCase: "eth2" }) as const;

/** Tallies are a ring over target epochs: an entry is overwritten only once its votes are too old to be included. */
function tallyRingLength(params: ChainParams): number {
  const shortestEpoch = Math.min(...params.forks.map((fork) => fork.slotsPerEpoch));
  return Math.ceil((params.slotsPerHistoricalRoot + params.targetLagSlots) / shortestEpoch) + 1;
}

export function createStateContainers(
  params: ChainParams,
  ExecutionPayloadHeader: PayloadContainers["ExecutionPayloadHeader"],
) {
  const { validatorRegistryLimit: registryLimit } = params;
  const lists = createListContainers(params);
  const BeaconState = new ContainerType(
    {
      genesisTime: Uint53,
      genesisValidatorsRoot: Root,
      slot: Uint53,
      fork: Fork,
      latestBlockHeader: BeaconBlockHeader,
      blockRoots: lists.BlockRoots,
      randaoMixes: new VectorCompositeType(Bytes32, params.randaoMixesLength),
      slashings: new VectorBasicType(Uint64, params.slashingsLength),
      validators: new ListCompositeType(Validator, registryLimit),
      balances: new ListBasicType(Uint64, registryLimit),
      inactivityScores: new ListBasicType(Uint53, registryLimit),
      hitsTarget: lists.Hits,
      hitsHead: lists.Hits,
      proposerLookahead: lists.ProposerLookahead,
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
      justifiedRing: lists.JustifiedRing,
      tallies: new VectorCompositeType(lists.Tally, lists.tallyRingLength),
      seen: lists.SeenVotesList,
      ffgWeights: new VectorCompositeType(lists.FfgWeights, params.randaoMixesLength),
    },
    named("BeaconState"),
  );
  return { ...lists, BeaconState };
}

function createListContainers(params: ChainParams) {
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
  const SeenVotesList = new ListCompositeType(SeenVotes, params.timelyTargetSlots + 2);
  const JustifiedRing = new ListCompositeType(Checkpoint, params.justifiedRingLimit);
  const FfgWeights = new ListBasicType(Uint16, params.validatorRegistryLimit);
  const Hits = new ListBasicType(Uint8, params.validatorRegistryLimit);
  const BlockRoots = new VectorCompositeType(Root, params.slotsPerHistoricalRoot);
  const ProposerLookahead = new VectorBasicType(Uint53, 2 * params.periodSlots);
  return {
    Hits,
    BlockRoots,
    ProposerLookahead,
    Tally,
    SeenVotes,
    SeenVotesList,
    JustifiedRing,
    FfgWeights,
    tallyRingLength: tallyRingLength(params),
  };
}
