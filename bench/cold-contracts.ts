/** What blocks take that call as many contracts as they can pay for, each of which must be loaded from disk. See specs/vm/gas.md#cold-contracts. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openSnapshotFiles } from "../node/execution/open-machine.ts";
import type { SnapshotFiles } from "../node/storage/snapshot-files.ts";
import { type Address, concatBytes, fromHex, type Hash } from "../primitives/bytes.ts";
import { assert } from "../primitives/errors.ts";
import { keccak256Hex } from "../primitives/hash.ts";
import {
  ALICE,
  blockEnvironment,
  containerOf,
  contractSource,
  sharedEngine,
} from "../specs/vm/contract/sandbox.ts";
import { decodeContainer } from "../vm/contract/container.ts";
import { evaluateContract } from "../vm/contract/evaluate-contract.ts";
import { EngineMachine } from "../vm/contract/machine.ts";
import type { LoadedContract } from "../vm/contract/snapshot-cache.ts";
import { encodeContract } from "../vm/contract/stored-contract.ts";
import { runMessage } from "../vm/execute-transaction.ts";
import { NO_ACCOUNT } from "../vm/state/account-codec.ts";
import { createJournal } from "../vm/state/journal.ts";
import { buildToken } from "./token-artifact.ts";

export const BLOCK_GAS = 30_000_000;
/** A few contracts: none is in memory when its turn comes. */
const CACHE_BYTES = 2 * 1024 * 1024;
const RUNS = 2;
const METADATA_SIZE = 32;
const FIRST_ADDRESS = 0x10_0000;
const CALLER: Address = `0x${"ca".repeat(20)}`;
const EVALUATION_TICKS = 1e9;

export type ColdBlock = {
  readonly name: string;
  readonly contracts: number;
  /** Of processor time, for the whole of its gas. */
  readonly seconds: number;
};

/** Source of a contract, what it is called with, and gas that each call may take; all there is without. */
type Target = {
  readonly name: string;
  readonly code: Uint8Array;
  readonly data: string;
  readonly gas?: number;
};

const SMALL = contractSource('functions: { run: external("()", () => {}) }');
/** As much as a module may leave, and nothing that packs. */
const LARGE = contractSource(
  'functions: { run: external("()", () => { kept[0] = 1; }) }',
  `const kept = new Uint32Array(170_000); let x = 1;
   for (let i = 0; i < kept.length; i += 1) { kept[i] = x = Math.imul(x, 0x19660d) + i | 0; }`,
);
const RUN = "0xc0406226";
const UNKNOWN = "0xdeadbeef";
const BALANCE_OF = `0x70a08231${"11".repeat(32)}`;

async function targets(): Promise<readonly Target[]> {
  const token = fromHex((await buildToken()).bytecode);
  const { size } = decodeContainer(token);
  return [
    { name: "a small contract", code: containerOf(SMALL), data: RUN },
    { name: "a small contract, unknown function", code: containerOf(SMALL), data: UNKNOWN },
    { name: "a token's balanceOf", code: token.slice(0, size), data: BALANCE_OF },
    { name: "a token, with little gas", code: token.slice(0, size), data: BALANCE_OF, gas: 0 },
    { name: "the largest snapshot", code: containerOf(LARGE), data: RUN },
  ];
}

/** For each kind of contract the least time of a few blocks. */
export async function coldBlocks(): Promise<readonly ColdBlock[]> {
  const blocks: ColdBlock[] = [];
  for (const target of await targets()) blocks.push(timeBlocks(target));
  return blocks;
}

function timeBlocks(target: Target): ColdBlock {
  const directory = mkdtempSync(join(tmpdir(), "jurat-cold-"));
  try {
    const contracts = new ColdContracts(target, directory);
    let best: ColdBlock | undefined;
    for (let i = 0; i < RUNS; i++) {
      const block = contracts.runBlock();
      if (best === undefined || block.seconds < best.seconds) best = block;
    }
    assert(best !== undefined, "blocks were run");
    return best;
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** The same contract under as many code hashes as a block can call: they differ in metadata that nothing reads. */
class ColdContracts {
  readonly #target: Target;
  readonly #contract: LoadedContract;
  readonly #store: SnapshotFiles;
  readonly #accounts = new Map<Address, Hash>();
  readonly #codes = new Map<Hash, Uint8Array>();

  constructor(target: Target, directory: string) {
    this.#target = target;
    this.#contract = evaluated(target.code);
    this.#store = openSnapshotFiles(directory);
    const options = target.gas === undefined ? "" : `, { gas: ${target.gas}n }`;
    const call = `tryCall("0x" + i.toString(16).padStart(40, "0"), "${target.data}"${options})`;
    const body = `for (let i = ${FIRST_ADDRESS}; ; i++) ${call};`;
    this.#place(CALLER, containerOf(contractSource(`functions: { run: external("()", () => { ${body} }) }`)));
    // Places what a block reaches.
    this.runBlock();
  }

  /** With nothing in memory. */
  runBlock(): ColdBlock {
    const machine = new EngineMachine(sharedEngine(), { cacheBytes: CACHE_BYTES, store: this.#store });
    const called = new Set<Address>();
    const journal = createJournal({
      account: (address) => {
        const isTarget = BigInt(address) >= FIRST_ADDRESS && address.startsWith("0x00000000");
        if (isTarget && !this.#accounts.has(address)) this.#placeTarget(address);
        if (isTarget) called.add(address);
        const codeHash = this.#accounts.get(address);
        return codeHash && { ...NO_ACCOUNT, nonce: 1n, codeHash };
      },
      storage: () => 0n,
      code: (codeHash) => this.#codes.get(codeHash),
    });
    journal.beginTransaction();
    const message = { sender: ALICE, to: CALLER, value: 0n, data: fromHex(RUN), gas: BLOCK_GAS };
    const start = process.cpuUsage();
    const { outcome } = runMessage(
      { block: blockEnvironment, journal, machine },
      { ...message, gasPrice: 9n, accessList: [] },
    );
    const { user, system } = process.cpuUsage(start);
    const seconds = (user + system) / 1e6;
    assert(outcome === "out of gas", "the calls go on until the gas is spent");
    return { name: this.#target.name, contracts: called.size, seconds };
  }

  #placeTarget(address: Address): void {
    const metadata = fromHex(`0x${address.slice(2).padStart(2 * METADATA_SIZE, "0")}`);
    const code = concatBytes(this.#target.code.slice(0, -METADATA_SIZE), metadata);
    const codeHash = this.#place(address, code);
    this.#store.put(codeHash, encodeContract(sharedEngine(), codeHash, this.#contract));
  }

  #place(address: Address, code: Uint8Array): Hash {
    const codeHash = keccak256Hex(code);
    this.#accounts.set(address, codeHash);
    this.#codes.set(codeHash, code);
    return codeHash;
  }
}

function evaluated(code: Uint8Array): LoadedContract {
  const engine = sharedEngine();
  const { container } = decodeContainer(code);
  const evaluation = evaluateContract(engine, engine.createInstance(), container, EVALUATION_TICKS);
  assert(evaluation.outcome === "success", "the contract can be deployed");
  return evaluation.contract;
}
