/** The validator set of a finalized block's period, proven from its state. See specs/light/light-client.md#changes-of-the-set. */
import type { LightHeader } from "./finalized-block.ts";
import { LightError } from "./light-error.ts";
import { bytesRoot, chunksOf, containerRoot, isInTree, listRoot } from "./merkle-root.ts";
import type { LightChain, ValidatorSet } from "./validator-set.ts";

/** Two lists of a state and where they stand in it. */
export type SetProof = {
  /** SSZ of `state.validators`. */
  readonly validators: Uint8Array;
  readonly validatorsBranch: readonly Uint8Array[];
  /** SSZ of the period's list in `state.ffg_weights`. */
  readonly weights: Uint8Array;
  readonly weightsBranch: readonly Uint8Array[];
};

/** The state has 28 fields; these are the places of the two. */
const STATE_DEPTH = 5;
const VALIDATORS_INDEX = 8;
const WEIGHTS_INDEX = 27;

/** SSZ of a Validator: key, credentials, balance, slashed, four epochs. */
const VALIDATOR_BYTES = 48 + 32 + 8 + 1 + 4 * 8;
const PUBLIC_KEY_BYTES = 48;
const WEIGHT_BYTES = 2;
/** As the registry's. */
const VALIDATORS_LIMIT = 2 ** 40;
const WEIGHTS_PER_CHUNK = 32 / WEIGHT_BYTES;

/**
 * The set of the period in which the block lies.
 *
 * @param header of a finalized block.
 * @throws LightError when the lists are not those of the block's state.
 */
export function proveValidatorSet(proof: SetProof, header: LightHeader, chain: LightChain): ValidatorSet {
  const { validators, weights } = proof;
  checkLengths(proof);
  const validatorsRoot = listRoot(validatorRoots(validators), VALIDATORS_LIMIT, countOf(validators));
  const isRegistry =
    proof.validatorsBranch.length === STATE_DEPTH &&
    isInTree(validatorsRoot, proof.validatorsBranch, VALIDATORS_INDEX, header.stateRoot);
  if (!isRegistry) throw new LightError({ code: "LIGHT_WRONG_PROOF", of: "validators" });

  const period = Math.floor(header.slot / chain.periodSlots);
  const ringDepth = Math.ceil(Math.log2(chain.snapshotsLength));
  const weightCount = weights.length / WEIGHT_BYTES;
  const weightsRoot = listRoot(chunksOf(weights), VALIDATORS_LIMIT / WEIGHTS_PER_CHUNK, weightCount);
  const weightsIndex = WEIGHTS_INDEX * 2 ** ringDepth + (period % chain.snapshotsLength);
  const isSnapshot =
    proof.weightsBranch.length === STATE_DEPTH + ringDepth &&
    isInTree(weightsRoot, proof.weightsBranch, weightsIndex, header.stateRoot);
  if (!isSnapshot) throw new LightError({ code: "LIGHT_WRONG_PROOF", of: "weights" });

  const { genesisValidatorsRoot, periodSlots, snapshotsLength, withdrawabilityDelaySlots } = chain;
  return {
    ...{ genesisValidatorsRoot, periodSlots, snapshotsLength, withdrawabilityDelaySlots, period },
    validators: Array.from({ length: weightCount }, (_, index) => ({
      publicKey: validators.slice(index * VALIDATOR_BYTES, index * VALIDATOR_BYTES + PUBLIC_KEY_BYTES),
      weight: (weights[2 * index] ?? 0) + 256 * (weights[2 * index + 1] ?? 0),
    })),
  };
}

/** The registry only grows, so whoever has a weight is in it. */
function checkLengths({ validators, weights }: SetProof): void {
  if (validators.length % VALIDATOR_BYTES !== 0) {
    throw new LightError({
      code: "LIGHT_MALFORMED",
      at: "validators",
      expected: `whole records of ${VALIDATOR_BYTES} bytes`,
    });
  }
  if (weights.length % WEIGHT_BYTES !== 0 || weights.length / WEIGHT_BYTES > countOf(validators)) {
    throw new LightError({
      code: "LIGHT_MALFORMED",
      at: "weights",
      expected: "two bytes for each validator, or for fewer",
    });
  }
}

function countOf(validators: Uint8Array): number {
  return validators.length / VALIDATOR_BYTES;
}

function validatorRoots(validators: Uint8Array): readonly Uint8Array[] {
  return Array.from({ length: countOf(validators) }, (_, index) => {
    const start = index * VALIDATOR_BYTES;
    let at = start;
    const field = (length: number) => {
      const bytes = validators.subarray(at, at + length);
      at += length;
      return bytesRoot(bytes);
    };
    return containerRoot([48, 32, 8, 1, 8, 8, 8, 8].map(field));
  });
}
