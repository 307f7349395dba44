/** `jurat dev --watch`: a contract that is built again when its source changes, and takes over where it is deployed. See specs/node/dev.md#watching. */
import { type FSWatcher, watch } from "node:fs";
import { basename, dirname, resolve } from "node:path";
import type { Artifact } from "../../contracts/build/artifact.ts";
import { buildContract } from "../../contracts/build/build-contract.ts";
import { BuildError } from "../../contracts/build/build-error.ts";
import { checkLayout } from "../../contracts/build/check-layout.ts";
import { toChecksumAddress } from "../../primitives/address.ts";
import { type Address, fromHex, type Hex, toHex } from "../../primitives/bytes.ts";
import type { DevelopmentChain } from "../../rpc/development-chain.ts";
import type { SourceMaps } from "../../rpc/source-maps.ts";
import type { Block, ExecutedReceipt } from "../../vm/block.ts";

/** Editors write a file in several steps. */
const SETTLE_MS = 100;
/** Deployments of one contract that are kept up to date. */
const DEPLOYMENTS_LIMIT = 1_000;

export type WatchParts = {
  readonly file: string;
  readonly dev: Pick<DevelopmentChain, "edit">;
  readonly maps: SourceMaps;
  /** Sends call data that creates a contract, from the first account. @returns its address. */
  readonly deploy: (data: Uint8Array) => Promise<Address>;
  readonly write: (text: string) => void;
  readonly setTimer: (callback: () => void, delayMs: number) => () => void;
};

type Deployment = { readonly address: Address; readonly args: Hex };

export class DevWatch {
  readonly #parts: WatchParts;
  readonly #deployments = new Map<Address, Deployment>();
  /** Every build's bytecode, so that what is deployed from an older artifact is known too. */
  readonly #builds: Artifact[] = [];
  readonly #watchers = new Map<string, FSWatcher>();
  #cancelTimer: (() => void) | undefined;
  #turn: Promise<void> = Promise.resolve();

  constructor(parts: WatchParts) {
    this.#parts = parts;
  }

  /** Builds, deploys what needs no arguments, and watches. */
  async start(): Promise<void> {
    await this.#rebuild();
    const [artifact] = this.#builds;
    if (artifact === undefined) this.#watchFolders([resolve(this.#parts.file)]);
    else if (constructorInputs(artifact) === 0) await this.#announce(artifact, "0x");
    else this.#say(`${artifact.contractName} takes arguments: deploy it, and it is kept up to date`);
  }

  /** A block came: what of it is the watched contract, and with which arguments. */
  onBlock({ transactions }: Block, receipts: readonly ExecutedReceipt[]): void {
    for (const [index, { transaction }] of transactions.entries()) {
      const address = receipts[index]?.contractAddress;
      if (address === undefined || receipts[index]?.succeeded !== true) continue;
      const data = toHex(transaction.data);
      const build = this.#builds.find(({ bytecode }) => data.startsWith(bytecode));
      if (build === undefined || this.#deployments.size >= DEPLOYMENTS_LIMIT) continue;
      this.#deployments.set(address, { address, args: `0x${data.slice(build.bytecode.length)}` });
    }
  }

  async stop(): Promise<void> {
    this.#cancelTimer?.();
    for (const watcher of this.#watchers.values()) watcher.close();
    await this.#turn;
  }

  #onChange(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = this.#parts.setTimer(() => {
      this.#turn = this.#turn
        .then(() => this.#replaceAll())
        .catch((error: unknown) =>
          this.#say(`not redeployed: ${error instanceof Error ? error.message : error}`),
        );
    }, SETTLE_MS);
  }

  async #replaceAll(): Promise<void> {
    const before = this.#builds.at(-1);
    const after = await this.#rebuild();
    if (after === undefined || after.bytecode === before?.bytecode) return;
    if (before === undefined) {
      if (constructorInputs(after) === 0) await this.#announce(after, "0x");
      return;
    }
    const problem = layoutProblem(before, after);
    for (const { address, args } of [...this.#deployments.values()]) {
      if (problem === undefined) {
        await this.#parts.dev.edit({ kind: "code", address, code: fromHex(after.bytecode) });
        this.#say(`${after.contractName} at ${toChecksumAddress(address)} has the new code, and its state`);
        continue;
      }
      this.#say(`${after.contractName} at ${toChecksumAddress(address)} keeps the old code: ${problem}`);
      this.#deployments.delete(address);
      const isSame = JSON.stringify(constructorOf(before)) === JSON.stringify(constructorOf(after));
      if (isSame) await this.#announce(after, args);
      else this.#say(`${after.contractName} takes other arguments now: deploy it again`);
    }
  }

  /** Undefined when it does not build; the old code stays. */
  async #rebuild(): Promise<Artifact | undefined> {
    const { file, maps } = this.#parts;
    try {
      const artifact = await buildContract(file);
      maps.add(artifact);
      this.#builds.push(artifact);
      const { sources } = JSON.parse(artifact.sourceMap) as { readonly sources: readonly string[] };
      this.#watchFolders(sources.map((source) => resolve(dirname(file), source)));
      return artifact;
    } catch (error) {
      if (!(error instanceof BuildError)) throw error;
      this.#say(`${file} does not build:\n${error.message}`);
      return undefined;
    }
  }

  async #announce({ contractName, bytecode }: Artifact, args: Hex): Promise<void> {
    const address = await this.#parts.deploy(fromHex(`${bytecode}${args.slice(2)}`));
    this.#say(`${contractName} is at ${toChecksumAddress(address)}`);
  }

  /** Folders, because editors replace files; packages do not change. */
  #watchFolders(files: readonly string[]): void {
    const own = files.filter((file) => !file.includes("node_modules") && !file.includes("chain:"));
    for (const folder of new Set(own.map(dirname))) {
      if (this.#watchers.has(folder)) continue;
      const watcher = watch(folder, (_event, name) => {
        if (name === null || basename(name).endsWith(".ts")) this.#onChange();
      });
      // A folder that goes away ends its watcher; the contract stays as it was.
      watcher.on("error", () => this.#watchers.delete(folder));
      this.#watchers.set(folder, watcher);
    }
  }

  #say(text: string): void {
    this.#parts.write(`watch  ${text}\n`);
  }
}

function layoutProblem(before: Artifact, after: Artifact): string | undefined {
  try {
    checkLayout(before.storageLayout, after.storageLayout, "the last build");
    return undefined;
  } catch (error) {
    if (!(error instanceof BuildError)) throw error;
    return error.message;
  }
}

function constructorOf({ abi }: Artifact) {
  return abi.find(({ type }) => type === "constructor");
}

function constructorInputs(artifact: Artifact): number {
  const item = constructorOf(artifact);
  return item !== undefined && "inputs" in item ? item.inputs.length : 0;
}
