/** What rules this chain has and which history this node has. See specs/rpc/methods.md#network. */
import { crc32 } from "node:zlib";
import { type Address, fromHex } from "../../primitives/bytes.ts";
import { BEACON_ROOTS_ADDRESS, BLOCK_HASHES_ADDRESS } from "../../vm/chain-config.ts";
import { PRECOMPILES } from "../../vm/contract/precompiles.ts";
import { EMPTY_CODE_HASH } from "../../vm/state/account-codec.ts";
import { requireState } from "../block-parameter.ts";
import type { ChainView } from "../chain-view.ts";
import type { JsonObject } from "../json.ts";
import { orNull, record, ref } from "../json-schema.ts";
import { method } from "../method.ts";
import { asJson, toQuantity } from "../schema.ts";

/** EIP-7910's names of Ethereum's precompiled contracts, by the number that is their address. */
const PRECOMPILE_NAMES: ReadonlyMap<number, string> = new Map([
  [0x01, "ECREC"],
  [0x02, "SHA256"],
  [0x03, "RIPEMD160"],
  [0x04, "ID"],
  [0x05, "MODEXP"],
  [0x06, "BN254_ADD"],
  [0x07, "BN254_MUL"],
  [0x08, "BN254_PAIRING"],
  [0x09, "BLAKE2F"],
  [0x0a, "KZG_POINT_EVALUATION"],
  [0x0b, "BLS12_G1ADD"],
  [0x0c, "BLS12_G1MSM"],
  [0x0d, "BLS12_G2ADD"],
  [0x0e, "BLS12_G2MSM"],
  [0x0f, "BLS12_PAIRING_CHECK"],
  [0x10, "BLS12_MAP_FP_TO_G1"],
  [0x11, "BLS12_MAP_FP2_TO_G2"],
  [0x100, "P256VERIFY"],
]);

/** There are no blobs: with none allowed the blob base fee stays at 1 wei whatever the fraction. */
const NO_BLOBS = { target: 0, max: 0, baseFeeUpdateFraction: 1 };

export const config = method({
  name: "eth_config",
  summary: "The rules in force (EIP-7910): chain id, fork id, precompiles and system contracts.",
  params: {},
  result: asJson<JsonObject>(
    "the current, next and last configuration",
    record({ current: ref("Rules"), next: orNull(ref("Rules")), last: orNull(ref("Rules")) }),
  ),
  handle({ chain }) {
    const current = {
      activationTime: 0,
      blobSchedule: NO_BLOBS,
      chainId: toQuantity(chain.chainId),
      forkId: computeForkId(chain),
      precompiles: Object.fromEntries([...PRECOMPILES.keys()].map((at) => [precompileName(at), at])),
      systemContracts: systemContracts(chain),
    };
    // One set of rules from genesis on: nothing is scheduled.
    return { current, next: null, last: null };
  },
});

/** EIP-2124's checksum of the genesis hash and every fork since, of which there are none. */
function computeForkId({ genesisHash }: ChainView): string {
  return `0x${crc32(fromHex(genesisHash)).toString(16).padStart(8, "0")}`;
}

function precompileName(address: Address): string {
  return PRECOMPILE_NAMES.get(Number(address)) ?? address;
}

/** Those the chain has: whose address holds code. */
function systemContracts(chain: ChainView): JsonObject {
  const { depositContract, exitContract } = chain.config;
  const state = requireState(chain, { tag: "latest" });
  const named: readonly (readonly [string, Address | undefined])[] = [
    ["BEACON_ROOTS_ADDRESS", BEACON_ROOTS_ADDRESS],
    ["DEPOSIT_CONTRACT_ADDRESS", depositContract],
    ["HISTORY_STORAGE_ADDRESS", BLOCK_HASHES_ADDRESS],
    ["WITHDRAWAL_REQUEST_PREDEPLOY_ADDRESS", exitContract],
  ];
  const hasCode = (address: Address) => {
    const { codeHash } = state.account(address) ?? { codeHash: EMPTY_CODE_HASH };
    return codeHash !== EMPTY_CODE_HASH;
  };
  return Object.fromEntries(named.filter(([, address]) => address !== undefined && hasCode(address)));
}

export const capabilities = method({
  name: "eth_capabilities",
  summary: "The head, and from which block on this node has state, blocks and what belongs to them.",
  params: {},
  result: asJson<JsonObject>("the head and the oldest block of each resource", ref("Capabilities")),
  handle({ chain }) {
    const { hash, header } = chain.head();
    const since = (oldest: number) => ({ disabled: false, oldestBlock: toQuantity(oldest) });
    const state = since(chain.oldestState());
    const bodies = since(chain.oldestBlock());
    return {
      head: { number: toQuantity(header.number), hash },
      state,
      tx: bodies,
      logs: bodies,
      receipts: bodies,
      blocks: bodies,
      stateproofs: state,
    };
  },
});
