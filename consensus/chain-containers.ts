/** The containers whose list limits are chain parameters: votes and blocks. See specs/consensus/containers.md. */
import {
  BitListType,
  BitVectorType,
  ContainerType,
  ListBasicType,
  ListCompositeType,
  type ValueOf,
} from "@chainsafe/ssz";
import { Bytes32, Bytes96, Root, Uint53 } from "../primitives/ssz-types.ts";
import { AttestationData, ProposerSlashing, SignedVoluntaryExit, SingleAttestation } from "./containers.ts";
import type { ChainParams } from "./params.ts";
import { createPayloadContainers, type PayloadContainers } from "./payload-containers.ts";
import { createStateContainers } from "./state-containers.ts";

export type ChainContainers = ReturnType<typeof createContainers>;
export type Attestation = ValueOf<ChainContainers["Attestation"]>;
export type IndexedAttestation = ValueOf<ChainContainers["IndexedAttestation"]>;
export type AttesterSlashing = ValueOf<ChainContainers["AttesterSlashing"]>;
export type AggregateAndProof = ValueOf<ChainContainers["AggregateAndProof"]>;
export type SignedAggregateAndProof = ValueOf<ChainContainers["SignedAggregateAndProof"]>;
export type BeaconBlockBody = ValueOf<ChainContainers["BeaconBlockBody"]>;
export type BeaconBlock = ValueOf<ChainContainers["BeaconBlock"]>;
export type SignedBeaconBlock = ValueOf<ChainContainers["SignedBeaconBlock"]>;

const containersByParams = new WeakMap<ChainParams, ChainContainers>();

/** The containers of a chain; built once per parameter set. */
export function containersOf(params: ChainParams): ChainContainers {
  let containers = containersByParams.get(params);
  if (containers === undefined) {
    containers = createContainers(params);
    containersByParams.set(params, containers);
  }
  return containers;
}

function createContainers(params: ChainParams) {
  const votes = createVoteContainers(params);
  const payloads = createPayloadContainers(params);
  const blocks = createBlockContainers(params, votes, payloads);
  const state = createStateContainers(params, payloads.ExecutionPayloadHeader);
  return { ...votes, ...payloads, ...blocks, ...state };
}

const named = (typeName: string) => ({ typeName, jsonCase: "eth2" }) as const;

function createVoteContainers(params: ChainParams) {
  const { maxValidatorsPerSlot, maxCommitteesPerSlot, unaggregatedVoterLimit } = params;
  /** The bits of the committees in `committeeBits`, one after the other (EIP-7549). */
  const Attestation = new ContainerType(
    {
      aggregationBits: new BitListType(maxValidatorsPerSlot),
      data: AttestationData,
      signature: Bytes96,
      committeeBits: new BitVectorType(maxCommitteesPerSlot),
    },
    named("Attestation"),
  );
  const IndexedAttestation = new ContainerType(
    {
      attestingIndices: new ListBasicType(Uint53, maxValidatorsPerSlot),
      data: AttestationData,
      signature: Bytes96,
    },
    named("IndexedAttestation"),
  );
  const AttesterSlashing = new ContainerType(
    { attestation1: IndexedAttestation, attestation2: IndexedAttestation },
    {
      typeName: "AttesterSlashing",
      casingMap: { attestation1: "attestation_1", attestation2: "attestation_2" },
    },
  );
  const AggregateAndProof = new ContainerType(
    { aggregatorIndex: Uint53, aggregate: Attestation, selectionProof: Bytes96 },
    named("AggregateAndProof"),
  );
  const SignedAggregateAndProof = new ContainerType(
    { message: AggregateAndProof, signature: Bytes96 },
    named("SignedAggregateAndProof"),
  );
  /** Ours: the votes of one node's keys in one gossip message. */
  const SingleAttestations = new ListCompositeType(SingleAttestation, unaggregatedVoterLimit);
  return {
    ...{ Attestation, IndexedAttestation, AttesterSlashing },
    ...{ AggregateAndProof, SignedAggregateAndProof, SingleAttestations },
  };
}

function createBlockContainers(
  params: ChainParams,
  votes: ReturnType<typeof createVoteContainers>,
  payloads: PayloadContainers,
) {
  const BeaconBlockBody = new ContainerType(
    {
      randaoReveal: Bytes96,
      graffiti: Bytes32,
      proposerSlashings: new ListCompositeType(ProposerSlashing, params.maxProposerSlashings),
      attesterSlashings: new ListCompositeType(votes.AttesterSlashing, params.maxAttesterSlashings),
      attestations: new ListCompositeType(votes.Attestation, params.maxAttestations),
      voluntaryExits: new ListCompositeType(SignedVoluntaryExit, params.maxVoluntaryExits),
      executionPayload: payloads.ExecutionPayload,
      executionRequests: payloads.ExecutionRequests,
    },
    named("BeaconBlockBody"),
  );
  const BeaconBlock = new ContainerType(
    { slot: Uint53, proposerIndex: Uint53, parentRoot: Root, stateRoot: Root, body: BeaconBlockBody },
    named("BeaconBlock"),
  );
  const SignedBeaconBlock = new ContainerType(
    { message: BeaconBlock, signature: Bytes96 },
    named("SignedBeaconBlock"),
  );
  return { BeaconBlockBody, BeaconBlock, SignedBeaconBlock };
}
