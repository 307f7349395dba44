/**
 * Changes to accounts as transactions that only a development chain's machine understands, so that every state
 * belongs to a block that can be executed again. See specs/node/dev.md#edits.
 */
import {
  type Address,
  bytesToBigInt,
  concatBytes,
  EMPTY_BYTES,
  fromHex,
  type Hash,
  toHex,
  utf8ToBytes,
} from "../../primitives/bytes.ts";
import { assert } from "../../primitives/errors.ts";
import type { StateEdit } from "../../rpc/development-chain.ts";
import { compileDecoder } from "../../vm/contract/abi-decode.ts";
import { compileEncoder } from "../../vm/contract/abi-encode.ts";
import { selectorOf } from "../../vm/contract/abi-item.ts";
import { type AbiFunction, parseFunction } from "../../vm/contract/abi-parse.ts";
import type { AbiValue } from "../../vm/contract/abi-type.ts";
import type { ContractMachine, Frame, MessageResult } from "../../vm/message.ts";
import { EMPTY_CODE_HASH } from "../../vm/state/account-codec.ts";
import type { Journal } from "../../vm/state/journal.ts";

/** Who sends edits, with funds for their gas, and where to. Nobody has a key of either. */
export const EDITOR_ADDRESS: Address = "0x00000000000000000000000000000000000de7e1";
export const EDITS_ADDRESS: Address = "0x00000000000000000000000000000000000ed175";
/** What is at that address: no container, so that no other machine would run it. */
export const EDITS_CODE = utf8ToBytes("changes accounts of a development chain");

type Operation = {
  readonly signature: AbiFunction;
  valuesOf(edit: StateEdit): readonly AbiValue[];
  /** False when the state forbids it. */
  apply(journal: Journal, address: Address, values: readonly AbiValue[]): boolean;
};

const OPERATIONS: Readonly<Record<StateEdit["kind"], Operation>> = {
  balance: {
    signature: parseFunction("setBalance(address,uint256)"),
    valuesOf: (edit) => (edit.kind === "balance" ? [edit.address, edit.balance] : []),
    apply(journal, address, [balance]) {
      journal.addBalance(address, (balance as bigint) - journal.balance(address));
      return true;
    },
  },
  nonce: {
    signature: parseFunction("setNonce(address,uint256)"),
    valuesOf: (edit) => (edit.kind === "nonce" ? [edit.address, edit.nonce] : []),
    apply(journal, address, [nonce]) {
      // A contract's nonce is at least 1 (EIP-161): what has code or storage is never an empty account.
      const isContract = journal.codeHash(address) !== EMPTY_CODE_HASH || journal.hasStorage(address);
      if (nonce === 0n && isContract) return false;
      journal.setNonce(address, nonce as bigint);
      return true;
    },
  },
  code: {
    signature: parseFunction("setCode(address,bytes)"),
    valuesOf: (edit) => (edit.kind === "code" ? [edit.address, toHex(edit.code)] : []),
    apply(journal, address, [code]) {
      journal.setCode(address, fromHex(code as string));
      makeContract(journal, address);
      return true;
    },
  },
  storage: {
    signature: parseFunction("setStorageAt(address,bytes32,bytes32)"),
    valuesOf: (edit) => (edit.kind === "storage" ? [edit.address, edit.slot, edit.value] : []),
    apply(journal, address, [slot, value]) {
      journal.setStorage(address, slot as Hash, bytesToBigInt(fromHex(value as string)));
      makeContract(journal, address);
      return true;
    },
  },
};

function makeContract(journal: Journal, address: Address): void {
  if (journal.nonce(address) === 0n) journal.setNonce(address, 1n);
}

const CODECS = Object.values(OPERATIONS).map((operation) => {
  const { inputs } = operation.signature;
  const selector = selectorOf(operation.signature);
  return { operation, selector, encode: compileEncoder(inputs), decode: compileDecoder(inputs) };
});

/** Call data for `EDITS_ADDRESS`. */
export function encodeEdit(edit: StateEdit): Uint8Array {
  const operation = OPERATIONS[edit.kind];
  const codec = CODECS.find((candidate) => candidate.operation === operation);
  assert(codec !== undefined, "every operation has a codec");
  return concatBytes(fromHex(codec.selector), codec.encode(operation.valuesOf(edit)));
}

/** `machine`, which also carries out edits that the editor's transactions ask for. */
export function withEdits(machine: ContractMachine): ContractMachine {
  return {
    precompiles: machine.precompiles,
    loadGas: (journal, address, gasLimit) => machine.loadGas(journal, address, gasLimit),
    call: (frame) => (frame.codeAddress === EDITS_ADDRESS ? applyEdit(frame) : machine.call(frame)),
    create: (frame) => machine.create(frame),
    openProbed(spare) {
      const { machine: probed, recorder } = machine.openProbed(spare);
      return { machine: withEdits(probed), recorder };
    },
    describe: (code) => machine.describe(code),
  };
}

function applyEdit({ depth, caller, data, gas, context }: Frame): MessageResult {
  const codec = CODECS.find(({ selector }) => selector === toHex(data.subarray(0, 4)));
  const isAllowed = depth === 0 && caller === EDITOR_ADDRESS;
  if (!isAllowed || codec === undefined) return { outcome: "revert", output: EMPTY_BYTES, gasLeft: gas };
  const [address, ...values] = codec.decode(data.subarray(4));
  const isDone = codec.operation.apply(context.journal, address as Address, values);
  return { outcome: isDone ? "success" : "revert", output: EMPTY_BYTES, gasLeft: gas };
}
