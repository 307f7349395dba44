/**
 * The containers that no parameter changes, with Ethereum's names, field order and roots (consensus-specs
 * v1.5.0, electra). See specs/consensus/containers.md.
 */
import { ContainerType, type ValueOf } from "@chainsafe/ssz";
import {
  Bool,
  Bytes4,
  Bytes20,
  Bytes32,
  Bytes48,
  Bytes96,
  EpochOrNever,
  Root,
  Uint53,
  Uint64,
} from "../primitives/ssz-types.ts";
import { ValueContainerType } from "./value-container.ts";

export type ValidatorIndex = number;
export type Gwei = bigint;
export type PublicKey = Uint8Array;
export type Signature = Uint8Array;
/** First four bytes of a domain: what kind of message was signed. */
export type DomainType = Uint8Array;
/** 32 bytes that tie a signature to its kind, fork and chain. */
export type Domain = Uint8Array;

const named = (typeName: string) => ({ typeName, jsonCase: "eth2" }) as const;

/** An epoch and the last block before it (specs/consensus/finality.md#checkpoints). */
export const Checkpoint = new ValueContainerType({ epoch: Uint53, root: Root }, named("Checkpoint"));
export type Checkpoint = ValueOf<typeof Checkpoint>;

/** A vote: for a head (`beaconBlockRoot`), and for finality from `source` to `target`. `index` is 0 (EIP-7549). */
export const AttestationData = new ContainerType(
  { slot: Uint53, index: Uint53, beaconBlockRoot: Root, source: Checkpoint, target: Checkpoint },
  named("AttestationData"),
);
export type AttestationData = ValueOf<typeof AttestationData>;

/** One validator's vote as it travels. */
export const SingleAttestation = new ContainerType(
  { committeeIndex: Uint53, attesterIndex: Uint53, data: AttestationData, signature: Bytes96 },
  named("SingleAttestation"),
);
export type SingleAttestation = ValueOf<typeof SingleAttestation>;

export const Fork = new ValueContainerType(
  { previousVersion: Bytes4, currentVersion: Bytes4, epoch: Uint53 },
  named("Fork"),
);
export type Fork = ValueOf<typeof Fork>;

export const ForkData = new ContainerType(
  { currentVersion: Bytes4, genesisValidatorsRoot: Root },
  named("ForkData"),
);
export type ForkData = ValueOf<typeof ForkData>;

/** What is signed: the root of the object and the domain it is signed in. */
export const SigningData = new ContainerType({ objectRoot: Root, domain: Bytes32 }, named("SigningData"));
export type SigningData = ValueOf<typeof SigningData>;

/** A member of the registry. */
export const Validator = new ValueContainerType(
  {
    pubkey: Bytes48,
    withdrawalCredentials: Bytes32,
    effectiveBalance: Uint64,
    slashed: Bool,
    activationEligibilityEpoch: EpochOrNever,
    activationEpoch: EpochOrNever,
    exitEpoch: EpochOrNever,
    withdrawableEpoch: EpochOrNever,
  },
  named("Validator"),
);
export type Validator = ValueOf<typeof Validator>;

/** A block without its body: `bodyRoot` stands for it, so both have the same root. */
export const BeaconBlockHeader = new ValueContainerType(
  { slot: Uint53, proposerIndex: Uint53, parentRoot: Root, stateRoot: Root, bodyRoot: Root },
  named("BeaconBlockHeader"),
);
export type BeaconBlockHeader = ValueOf<typeof BeaconBlockHeader>;

export const SignedBeaconBlockHeader = new ContainerType(
  { message: BeaconBlockHeader, signature: Bytes96 },
  named("SignedBeaconBlockHeader"),
);
export type SignedBeaconBlockHeader = ValueOf<typeof SignedBeaconBlockHeader>;

/** Two headers one proposer signed for one slot. */
export const ProposerSlashing = new ContainerType(
  { signedHeader1: SignedBeaconBlockHeader, signedHeader2: SignedBeaconBlockHeader },
  // The eth2 case converter would write signed_header1.
  {
    typeName: "ProposerSlashing",
    casingMap: { signedHeader1: "signed_header_1", signedHeader2: "signed_header_2" },
  },
);
export type ProposerSlashing = ValueOf<typeof ProposerSlashing>;

export const VoluntaryExit = new ContainerType(
  { epoch: Uint53, validatorIndex: Uint53 },
  named("VoluntaryExit"),
);
export type VoluntaryExit = ValueOf<typeof VoluntaryExit>;

export const SignedVoluntaryExit = new ContainerType(
  { message: VoluntaryExit, signature: Bytes96 },
  named("SignedVoluntaryExit"),
);
export type SignedVoluntaryExit = ValueOf<typeof SignedVoluntaryExit>;

/** What the depositor's key signs, as proof that it is held. */
export const DepositMessage = new ContainerType(
  { pubkey: Bytes48, withdrawalCredentials: Bytes32, amount: Uint64 },
  named("DepositMessage"),
);
export type DepositMessage = ValueOf<typeof DepositMessage>;

export const DepositData = new ContainerType(
  { pubkey: Bytes48, withdrawalCredentials: Bytes32, amount: Uint64, signature: Bytes96 },
  named("DepositData"),
);
export type DepositData = ValueOf<typeof DepositData>;

/** A deposit the execution side saw (EIP-6110). */
export const DepositRequest = new ContainerType(
  { pubkey: Bytes48, withdrawalCredentials: Bytes32, amount: Uint64, signature: Bytes96, index: Uint53 },
  named("DepositRequest"),
);
export type DepositRequest = ValueOf<typeof DepositRequest>;

/** An exit (amount 0) or partial withdrawal asked for by the withdrawal address (EIP-7002). */
export const WithdrawalRequest = new ContainerType(
  { sourceAddress: Bytes20, validatorPubkey: Bytes48, amount: Uint64 },
  named("WithdrawalRequest"),
);
export type WithdrawalRequest = ValueOf<typeof WithdrawalRequest>;

/** Stake paid out to an account by a payload (EIP-4895). */
export const Withdrawal = new ContainerType(
  { index: Uint53, validatorIndex: Uint53, address: Bytes20, amount: Uint64 },
  named("Withdrawal"),
);
export type Withdrawal = ValueOf<typeof Withdrawal>;

/** A deposit waiting for its slot to be final and for room in the churn. */
export const PendingDeposit = new ValueContainerType(
  { pubkey: Bytes48, withdrawalCredentials: Bytes32, amount: Uint64, signature: Bytes96, slot: Uint53 },
  named("PendingDeposit"),
);
export type PendingDeposit = ValueOf<typeof PendingDeposit>;

export const PendingPartialWithdrawal = new ValueContainerType(
  { validatorIndex: Uint53, amount: Uint64, withdrawableEpoch: Uint53 },
  named("PendingPartialWithdrawal"),
);
export type PendingPartialWithdrawal = ValueOf<typeof PendingPartialWithdrawal>;
