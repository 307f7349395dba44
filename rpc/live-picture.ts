/**
 * Consensus as a person wants to see it: the tree of recent blocks, who voted, what each validator has. The consensus
 * side sends it once per slot; the explorer draws it. See specs/explorer/live.md#the-picture.
 */
import type { Hash, Hex } from "../primitives/bytes.ts";

export type LiveBlock = {
  readonly root: Hash;
  readonly parentRoot: Hash;
  readonly slot: number;
  /** Hash of the execution block it carries. */
  readonly blockHash: Hash;
};

/** The words of the beacon API's ValidatorStatus that apply here. */
export type LiveValidatorStatus = "pending" | "active" | "exiting" | "exited" | "slashed";

export type LiveValidator = {
  readonly index: number;
  readonly publicKey: Hex;
  readonly status: LiveValidatorStatus;
  /** Decimal. */
  readonly balanceGwei: string;
  /** One character a slot, the newest last: `1` voted, `0` did not. */
  readonly votes: string;
  /** Held by the node that tells. */
  readonly isLocal: boolean;
};

export type LivePicture = {
  readonly slot: number;
  readonly slotSeconds: number;
  readonly genesisTime: number;
  readonly headRoot: Hash;
  readonly justified: { readonly epoch: number; readonly root: Hash };
  readonly finalized: { readonly epoch: number; readonly root: Hash };
  readonly finalityLagSlots: number;
  readonly isSynced: boolean;
  readonly peers: number;
  /** Of the last slot: active validators, and how many of their votes were seen. */
  readonly activeValidators: number;
  readonly voters: number;
  /** Oldest first, at most LIVE_BLOCKS_LIMIT. */
  readonly blocks: readonly LiveBlock[];
  /** The first LIVE_VALIDATORS_LIMIT of `validatorCount`. */
  readonly validators: readonly LiveValidator[];
  readonly validatorCount: number;
};

/** Two minutes of one-second slots: what a screen shows. */
export const LIVE_BLOCKS_LIMIT = 128;
/** Rows a person can read; a larger network is summed up. */
export const LIVE_VALIDATORS_LIMIT = 256;
/** Slots of votes kept for each validator. */
export const LIVE_VOTE_SLOTS = 32;
