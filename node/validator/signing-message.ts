/** What validators sign, as the JSON of the Web3Signer API, and its signing root. See specs/node/remote-signing.md#requests. */

import type { AggregateAndProof } from "../../consensus/chain-containers.ts";
import { containersOf } from "../../consensus/chain-containers.ts";
import { AttestationData, BeaconBlockHeader, VoluntaryExit } from "../../consensus/containers.ts";
import type { ChainParams } from "../../consensus/params.ts";
import {
  computeSigningRoot,
  DOMAIN_AGGREGATE_AND_PROOF,
  DOMAIN_BEACON_ATTESTER,
  DOMAIN_BEACON_PROPOSER,
  DOMAIN_RANDAO,
  DOMAIN_SELECTION_PROOF,
  DOMAIN_VOLUNTARY_EXIT,
  getDomain,
} from "../../consensus/signing-root.ts";
import { computeEpochAtSlot, type Epoch, forkAtEpoch, type Slot } from "../../consensus/time.ts";
import { toHex } from "../../primitives/bytes.ts";
import { Uint53 } from "../../primitives/ssz-types.ts";
import { isJsonObject, type Json, type JsonObject } from "../../rpc/json.ts";

export type SigningMessage =
  | { readonly type: "ATTESTATION"; readonly attestation: AttestationData }
  | { readonly type: "BLOCK_V2"; readonly header: BeaconBlockHeader }
  | { readonly type: "RANDAO_REVEAL"; readonly epoch: Epoch }
  | { readonly type: "AGGREGATION_SLOT"; readonly slot: Slot }
  | { readonly type: "AGGREGATE_AND_PROOF"; readonly aggregate: AggregateAndProof }
  | { readonly type: "VOLUNTARY_EXIT"; readonly exit: VoluntaryExit };

/** What ties a signature to a chain. */
export type SigningChain = { readonly params: ChainParams; readonly genesisValidatorsRoot: Uint8Array };

/** A body that is no request to sign; the message says why. */
export class SigningMessageError extends Error {
  override readonly name = "SigningMessageError";
}

/** Version of the block in the API's words: ours are Electra's without what this chain does not have. */
const BLOCK_VERSION = "ELECTRA";

/** Numbers are text, bytes are hex, as everywhere in Ethereum's consensus APIs. */
export function encodeSigningRequest(
  message: SigningMessage,
  signingRoot: Uint8Array,
  { params, genesisValidatorsRoot }: SigningChain,
): JsonObject {
  const epoch = epochOf(message, params);
  const fork = forkAtEpoch(epoch, params);
  const before = params.forks[params.forks.indexOf(fork) - 1] ?? fork;
  return {
    type: message.type,
    fork_info: {
      fork: {
        previous_version: before.version,
        current_version: fork.version,
        epoch: String(fork.firstEpoch),
      },
      genesis_validators_root: toHex(genesisValidatorsRoot),
    },
    signingRoot: toHex(signingRoot),
    ...fieldsOf(message, params),
  };
}

function fieldsOf(message: SigningMessage, params: ChainParams): JsonObject {
  switch (message.type) {
    case "ATTESTATION":
      return { attestation: AttestationData.toJson(message.attestation) as Json };
    case "BLOCK_V2": {
      const header = BeaconBlockHeader.toJson(message.header) as Json;
      return { beacon_block: { version: BLOCK_VERSION, block_header: header } };
    }
    case "RANDAO_REVEAL":
      return { randao_reveal: { epoch: String(message.epoch) } };
    case "AGGREGATION_SLOT":
      return { aggregation_slot: { slot: String(message.slot) } };
    case "AGGREGATE_AND_PROOF": {
      const { AggregateAndProof } = containersOf(params);
      return { aggregate_and_proof: AggregateAndProof.toJson(message.aggregate) as Json };
    }
    case "VOLUNTARY_EXIT":
      return { voluntary_exit: VoluntaryExit.toJson(message.exit) as Json };
  }
}

/**
 * The message of a request, and the root it is signed by: computed here, of this chain, whatever the request says.
 * @throws SigningMessageError for another chain or fork, an unknown type, fields that are missing, or another root.
 */
export function decodeSigningRequest(
  body: unknown,
  chain: SigningChain,
): { readonly message: SigningMessage; readonly signingRoot: Uint8Array } {
  const fields = objectOf(body, "the body");
  const message = messageOf(fields, chain.params);
  const signingRoot = signingRootOf(message, chain);
  const { fork_info: given, signingRoot: givenRoot } = fields;
  const forkInfo = objectOf(given, "fork_info");
  const root = toHex(chain.genesisValidatorsRoot);
  if (String(forkInfo["genesis_validators_root"]).toLowerCase() !== root) {
    throw new SigningMessageError(
      `fork_info is of another chain: this signer's genesis_validators_root is ${root}`,
    );
  }
  if (givenRoot !== undefined && String(givenRoot).toLowerCase() !== toHex(signingRoot)) {
    throw new SigningMessageError(`signingRoot is not that of the message, ${toHex(signingRoot)}`);
  }
  return { message, signingRoot };
}

function messageOf(fields: Fields, params: ChainParams): SigningMessage {
  const type = String(fields["type"]);
  try {
    switch (type) {
      case "ATTESTATION":
        return { type, attestation: AttestationData.fromJson(fields["attestation"]) };
      case "BLOCK_V2": {
        const block = objectOf(fields["beacon_block"], "beacon_block");
        return { type, header: BeaconBlockHeader.fromJson(block["block_header"]) };
      }
      case "RANDAO_REVEAL":
        return { type, epoch: numberOf(objectOf(fields["randao_reveal"], "randao_reveal"), "epoch") };
      case "AGGREGATION_SLOT":
        return { type, slot: numberOf(objectOf(fields["aggregation_slot"], "aggregation_slot"), "slot") };
      case "AGGREGATE_AND_PROOF": {
        const { AggregateAndProof } = containersOf(params);
        return { type, aggregate: AggregateAndProof.fromJson(fields["aggregate_and_proof"]) };
      }
      case "VOLUNTARY_EXIT":
        return { type, exit: VoluntaryExit.fromJson(fields["voluntary_exit"]) };
    }
  } catch (cause) {
    if (cause instanceof SigningMessageError) throw cause;
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new SigningMessageError(`the fields of ${type} are not what they must be: ${reason}`, { cause });
  }
  throw new SigningMessageError(`this chain has nothing of type ${type.slice(0, 60)} to sign`);
}

/** Of the fork in force at the message's epoch. @see consensus-specs v1.5.0, phase0/validator.md */
export function signingRootOf(
  message: SigningMessage,
  { params, genesisValidatorsRoot }: SigningChain,
): Uint8Array {
  const epoch = epochOf(message, params);
  const domain = (type: Uint8Array) => getDomain(type, epoch, genesisValidatorsRoot, params);
  switch (message.type) {
    case "ATTESTATION":
      return computeSigningRoot(AttestationData, message.attestation, domain(DOMAIN_BEACON_ATTESTER));
    case "BLOCK_V2":
      return computeSigningRoot(BeaconBlockHeader, message.header, domain(DOMAIN_BEACON_PROPOSER));
    case "RANDAO_REVEAL":
      return computeSigningRoot(Uint53, message.epoch, domain(DOMAIN_RANDAO));
    case "AGGREGATION_SLOT":
      return computeSigningRoot(Uint53, message.slot, domain(DOMAIN_SELECTION_PROOF));
    case "AGGREGATE_AND_PROOF": {
      const { AggregateAndProof } = containersOf(params);
      return computeSigningRoot(AggregateAndProof, message.aggregate, domain(DOMAIN_AGGREGATE_AND_PROOF));
    }
    case "VOLUNTARY_EXIT":
      return computeSigningRoot(VoluntaryExit, message.exit, domain(DOMAIN_VOLUNTARY_EXIT));
  }
}

function epochOf(message: SigningMessage, params: ChainParams): Epoch {
  switch (message.type) {
    case "ATTESTATION":
      return message.attestation.target.epoch;
    case "BLOCK_V2":
      return computeEpochAtSlot(message.header.slot, params);
    case "RANDAO_REVEAL":
      return message.epoch;
    case "AGGREGATION_SLOT":
      return computeEpochAtSlot(message.slot, params);
    case "AGGREGATE_AND_PROOF":
      return computeEpochAtSlot(message.aggregate.aggregate.data.slot, params);
    case "VOLUNTARY_EXIT":
      return message.exit.epoch;
  }
}

type Fields = { readonly [name: string]: unknown };

function objectOf(value: unknown, name: string): Fields {
  if (isJsonObject(value)) return value;
  throw new SigningMessageError(`${name} is not an object`);
}

function numberOf(fields: Fields, name: string): number {
  const text = String(fields[name]);
  const value = Number(text);
  if (/^\d{1,16}$/.test(text) && Number.isSafeInteger(value)) return value;
  throw new SigningMessageError(`${name} is not a number in quotes`);
}
