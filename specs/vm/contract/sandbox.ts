/** A world with accounts in memory, in which specs deploy and call contracts written as JavaScript. */
import { deflateRawSync } from "node:zlib";
import { encodeAbiParameters, parseAbiParameters } from "viem";
import { readEngineImage } from "../../../node/engine-image.ts";
import { readBootImage } from "../../../node/std-image.ts";
import {
  type Address,
  concatBytes,
  fromHex,
  type Hex,
  toHex,
  utf8ToBytes,
  ZERO_HASH,
} from "../../../primitives/bytes.ts";
import { ENGINE_ID, encodeContainer } from "../../../vm/contract/container.ts";
import { EngineMachine, type MachineOptions } from "../../../vm/contract/machine.ts";
import { createEngine, type Engine } from "../../../vm/engine/engine.ts";
import { runMessage } from "../../../vm/execute-transaction.ts";
import type { BlockEnvironment, ContractMachine, Outcome } from "../../../vm/message.ts";
import { type BlockJournal, createJournal } from "../../../vm/state/journal.ts";

export const ALICE: Address = `0x${"a1".repeat(20)}`;
export const BOB: Address = `0x${"b0".repeat(20)}`;
export const ETHER = 10n ** 18n;

export const blockEnvironment: BlockEnvironment = {
  chainId: 11_7711n,
  number: 500,
  timestamp: 1_700_000_000,
  baseFeePerGas: 7n,
  prevRandao: `0x${"5e".repeat(32)}`,
  feeRecipient: `0x${"fe".repeat(20)}`,
  gasLimit: 30_000_000n,
  blockHash: (number) =>
    number >= 244 && number < 500 ? (`0x${number.toString(16).padStart(64, "0")}` as Hex) : ZERO_HASH,
};

let shared: Engine | undefined;

/** One engine for all specs: booting it takes longer than most of them. */
export function sharedEngine(): Engine {
  shared ??= createEngine({ wasm: readEngineImage(), boot: readBootImage() });
  return shared;
}

/** What a call came to. Revert data that is `Error(string)` is given as its text. */
export type CallResult = {
  readonly outcome: Outcome;
  readonly output: Hex;
  readonly gasUsed: number;
  readonly address: Address | undefined;
};

export type CallOptions = { readonly from?: Address; readonly value?: bigint; readonly gas?: number };

export class Sandbox {
  readonly journal: BlockJournal;
  readonly machine: ContractMachine;
  /** The block that messages are in; a spec may move it. */
  block: BlockEnvironment = blockEnvironment;

  constructor(options: MachineOptions = {}) {
    this.machine = new EngineMachine(sharedEngine(), options);
    this.journal = createJournal({ account: () => undefined, storage: () => 0n, code: () => undefined });
    for (const address of [ALICE, BOB]) this.journal.addBalance(address, 1_000n * ETHER);
  }

  /** A transaction's message without its fees; `gasUsed` leaves out what is paid before it runs. */
  send(to: Address | undefined, data: Uint8Array, options: CallOptions = {}): CallResult {
    const { from = ALICE, value = 0n, gas = 10_000_000 } = options;
    const { journal, machine } = this;
    journal.beginTransaction();
    if (to === undefined) journal.setNonce(from, journal.nonce(from) + 1n);
    const run = runMessage(
      { block: this.block, journal, machine },
      { sender: from, to, value, data, gas, gasPrice: 9n, accessList: [] },
    );
    return {
      outcome: run.outcome,
      output: toHex(run.output),
      gasUsed: gas - run.gasLeft,
      address: run.contractAddress,
    };
  }

  /** Deploys source as it is. */
  tryDeploy(source: string, args: Uint8Array = new Uint8Array(0), options: CallOptions = {}): CallResult {
    return this.send(undefined, concatBytes(containerOf(source), args), options);
  }

  /** @throws Error unless the deployment succeeds. */
  deploy(source: string, args?: Uint8Array, options?: CallOptions): Address {
    const { outcome, output, address } = this.tryDeploy(source, args, options);
    if (address === undefined || outcome !== "success") throw new Error(`${outcome}: ${reasonOf(output)}`);
    return address;
  }
}

export function containerOf(source: string, isUpgradeable = false): Uint8Array {
  const bytes = utf8ToBytes(source);
  return encodeContainer({
    engineId: ENGINE_ID,
    isUpgradeable,
    rawLength: bytes.length,
    packed: deflateRawSync(bytes, { level: 9 }),
    metadataHash: new Uint8Array(32),
  });
}

/** A contract of these members, with everything of `chain:std` in scope. */
export function contractSource(members: string, before = ""): string {
  const names =
    "abi, address, array, balance, block, call, codeHash, codeSize, concat, console, contract, create, delegatecall, " +
    "ecrecover, error, event, external, gasleft, guard, iface, init, isCallError, keccak256, mapping, msg, payable, require, " +
    "reentrant, ripemd160, self, sha256, staticcall, storage, struct, toHex, transient, transientStorage, tryCall, tx, upgrade, view, " +
    "ZERO";
  return `import { ${names} } from "chain:std";\n${before}\nexport default contract({ name: "Sample", ${members} });\n`;
}

/** The text of `Error(string)`, `panic 0x…` of a Panic, else the data itself. */
export function reasonOf(output: Hex): string {
  if (output.startsWith("0x08c379a0")) {
    const length = Number.parseInt(output.slice(74, 138), 16);
    return new TextDecoder().decode(fromHex(`0x${output.slice(138, 138 + 2 * length)}`));
  }
  if (output.startsWith("0x4e487b71")) return `panic 0x${BigInt(`0x${output.slice(10)}`).toString(16)}`;
  return output;
}

export function encodeArgs(types: string, ...values: unknown[]): Uint8Array {
  return fromHex(encodeAbiParameters(parseAbiParameters(types) as never, values as never));
}
