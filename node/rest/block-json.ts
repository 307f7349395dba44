/** Blocks and headers as the beacon API shows them. See specs/node/rest.md#blocks. */
import type { ChainContainers, SignedBeaconBlock } from "../../consensus/chain-containers.ts";
import { SignedBeaconBlockHeader } from "../../consensus/containers.ts";
import type { Json, JsonObject } from "../../rpc/json.ts";
import type { FoundBlock } from "./view.ts";

/** The fork of Ethereum whose blocks ours are like: what clients choose a decoder by. */
export const CONSENSUS_VERSION = "electra";

const ZERO_ROOT = `0x${"00".repeat(32)}`;
/** BLS's point at infinity: the aggregate of no signature (altair, eth_fast_aggregate_verify). */
const NO_SIGNATURES = `0xc0${"00".repeat(95)}`;
const SYNC_COMMITTEE_BYTES = 64;

/** Fields Ethereum's blocks have and ours do not, as a block has them in which nothing of the kind happened. */
const BODY_WITHOUT = {
  eth1_data: { deposit_root: ZERO_ROOT, deposit_count: "0", block_hash: ZERO_ROOT },
  deposits: [],
  sync_aggregate: {
    sync_committee_bits: `0x${"00".repeat(SYNC_COMMITTEE_BYTES)}`,
    sync_committee_signature: NO_SIGNATURES,
  },
  bls_to_execution_changes: [],
  blob_kzg_commitments: [],
} as const;
const PAYLOAD_WITHOUT = { blob_gas_used: "0", excess_blob_gas: "0" } as const;
const REQUESTS_WITHOUT = { consolidations: [] } as const;

export function blockJson(block: SignedBeaconBlock, containers: ChainContainers): JsonObject {
  const { message, signature } = containers.SignedBeaconBlock.toJson(block) as {
    readonly message: JsonObject & { readonly body: JsonObject };
    readonly signature: string;
  };
  const { body } = message;
  return {
    message: {
      ...message,
      body: {
        ...BODY_WITHOUT,
        ...body,
        execution_payload: { ...PAYLOAD_WITHOUT, ...(body["execution_payload"] as JsonObject) },
        execution_requests: { ...REQUESTS_WITHOUT, ...(body["execution_requests"] as JsonObject) },
      },
    },
    signature,
  };
}

/** The block with its body's root in place of the body; the root and the signature are the same. */
export function headerJson(
  { root, block, isCanonical }: FoundBlock,
  { BeaconBlockBody }: ChainContainers,
): JsonObject {
  const { slot, proposerIndex, parentRoot, stateRoot, body } = block.message;
  const message = {
    slot,
    proposerIndex,
    parentRoot,
    stateRoot,
    bodyRoot: BeaconBlockBody.hashTreeRoot(body),
  };
  const header = SignedBeaconBlockHeader.toJson({ message, signature: block.signature }) as Json;
  return { root, canonical: isCanonical, header };
}
