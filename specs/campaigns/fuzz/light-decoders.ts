/** What a light client reads of a node it does not trust: certificates, sets, proofs and witnesses, as JSON. */
import { verifyFinalizedBlock } from "../../../light/light-client.ts";
import { LightError } from "../../../light/light-error.ts";
import { validatorSetRoot } from "../../../light/validator-set.ts";
import { witnessState } from "../../../light/verified/witness.ts";
import {
  decodeFinalizedBlock,
  decodeSetProof,
  decodeValidatorSet,
  encodeFinalizedBlock,
  encodeSetProof,
  encodeValidatorSet,
} from "../../../light/wire.ts";
import { buildSetProof } from "../../../node/light/light-server.ts";
import { type Address, type Hash, toHex, utf8ToBytes } from "../../../primitives/bytes.ts";
import { keccak256Hex } from "../../../primitives/hash.ts";
import type { GenesisAccount } from "../../../vm/genesis.ts";
import { proveAccount } from "../../../vm/state/proof.ts";
import { provenBlock, provenChain, setOf } from "../../light/proven-chain.ts";
import { MemoryState } from "../../support/memory-state.ts";
import type { Decoder } from "./decoders.ts";

const proven = provenChain(4, 8);
const set = setOf(proven, 0);
const setRoot = validatorSetRoot(set);
const block = provenBlock(proven);
const setProof = buildSetProof(proven.bench.genesis.state, proven.bench.params);

const CONTRACT: Address = `0x${"c0".repeat(20)}`;
const STRANGER: Address = `0x${"57".repeat(20)}`;
const SLOTS = [1, 2, 3].map((number): Hash => `0x${String(number).padStart(64, "0")}`);
const CODE = utf8ToBytes("code of a contract");
const neighbours = Array.from({ length: 20 }, (_, i): [Address, GenesisAccount] => [
  `0x${String(i + 10).repeat(20)}`,
  { balance: 1n },
]);
const storage = new Map(SLOTS.slice(1).map((slot) => [slot, 7n]));
const state = MemoryState.of(
  new Map([[CONTRACT, { balance: 5n, nonce: 1n, code: CODE, storage }], ...neighbours]),
);
const witness = {
  accounts: [CONTRACT, STRANGER].map((address) => {
    const { accountProof, storageProof } = proveAccount(state, address, address === CONTRACT ? SLOTS : []);
    const words = storageProof.map(({ slot, proof }) => ({ key: slot, proof: proof.map(toHex) }));
    return { address, accountProof: accountProof.map(toHex), storageProof: words };
  }),
  codes: [toHex(CODE)],
};

/** Text that is no JSON does not get this far: a transport has parsed it. */
function jsonOf(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString("utf8"));
  } catch {
    return undefined;
  }
}

const jsonSeed = (value: unknown) => [utf8ToBytes(JSON.stringify(value))];
const isExpected = (error: unknown) => error instanceof LightError;

export const LIGHT_DECODERS: readonly Decoder[] = [
  {
    name: "certificates of finality",
    seeds: block === undefined ? [] : jsonSeed(encodeFinalizedBlock(block)),
    read: (bytes) => verifyFinalizedBlock(decodeFinalizedBlock(jsonOf(bytes)), set, setRoot),
    isExpected,
  },
  {
    name: "validator sets",
    seeds: jsonSeed(encodeValidatorSet(set)),
    read: (bytes) => validatorSetRoot(decodeValidatorSet(jsonOf(bytes))),
    isExpected,
  },
  {
    name: "proofs of a validator set",
    seeds: jsonSeed(encodeSetProof(setProof)),
    read: (bytes) => decodeSetProof(jsonOf(bytes)),
    isExpected,
  },
  {
    name: "witnesses",
    seeds: jsonSeed(witness),
    read(bytes) {
      const proved = witnessState(jsonOf(bytes), state.stateRoot);
      for (const address of [CONTRACT, STRANGER]) proved.account(address);
      for (const slot of SLOTS) proved.storage(CONTRACT, slot);
      proved.code(keccak256Hex(CODE));
    },
    isExpected,
  },
];
