/** A world in memory in which the library's examples are deployed and called with what viem encodes. */
import { fileURLToPath } from "node:url";
import {
  type Abi,
  decodeErrorResult,
  decodeFunctionResult,
  encodeDeployData,
  encodeFunctionData,
  parseEventLogs,
} from "viem";
import { buildContract } from "../../contracts/build/build-contract.ts";
import { type Address, fromHex, type Hex, toHex } from "../../primitives/bytes.ts";
import { contractSource, reasonOf, Sandbox } from "../vm/contract/sandbox.ts";

export const ZERO: Address = `0x${"00".repeat(20)}`;
export const MAX = 2n ** 256n - 1n;

type Built = { readonly abi: Abi; readonly bytecode: Hex };
const builds = new Map<string, Promise<Built>>();

/** An example of contracts/examples, built once for all specs. */
export function example(name: string): Promise<Built> {
  const path = fileURLToPath(new URL(`../../../contracts/examples/${name}.ts`, import.meta.url));
  const build =
    builds.get(name) ?? (buildContract(path, { typeCheck: false }) as Promise<unknown> as Promise<Built>);
  builds.set(name, build);
  return build;
}

export type Options = { readonly from?: Address; readonly value?: bigint };

/** What a call came to: the decoded result, or the error's name and arguments. Addresses are as the chain writes them. */
export type Answer = {
  readonly value?: unknown;
  readonly error?: readonly unknown[];
  readonly events: readonly (readonly unknown[])[];
  readonly gasUsed: number;
};

export class LibraryWorld extends Sandbox {
  async create(name: string, args: readonly unknown[] = [], options: Options = {}): Promise<Deployed> {
    const { abi, bytecode } = await example(name);
    const data = encodeDeployData({ abi, bytecode, args } as Parameters<typeof encodeDeployData>[0]);
    const { outcome, output, address } = this.send(undefined, fromHex(data), options);
    if (address === undefined || outcome !== "success")
      throw new Error(`${outcome}: ${describeError(abi, output)}`);
    return new Deployed(this, address, abi);
  }

  /** A contract of someone who means harm, from JavaScript. */
  hostile(members: string, before = ""): Address {
    return this.deploy(contractSource(members, before));
  }

  /** Moves the clock. */
  passSeconds(seconds: number): void {
    this.block = { ...this.block, timestamp: this.block.timestamp + seconds };
  }
}

export class Deployed {
  readonly world: LibraryWorld;
  readonly address: Address;
  readonly abi: Abi;

  constructor(world: LibraryWorld, address: Address, abi: Abi) {
    this.world = world;
    this.address = address;
    this.abi = abi;
  }

  /** The same place seen as another contract: what a proxy or an upgrade makes of it. */
  as(other: Deployed): Deployed {
    return new Deployed(this.world, this.address, other.abi);
  }

  data(functionName: string, ...args: unknown[]): Hex {
    return encodeFunctionData({ abi: this.abi, functionName, args });
  }

  send(options: Options, functionName: string, ...args: unknown[]): Answer {
    const { abi, address, world } = this;
    const result = world.send(address, fromHex(this.data(functionName, ...args)), options);
    const { gasUsed } = result;
    if (result.outcome === "revert")
      return { error: lower(errorOf(abi, result.output)), events: [], gasUsed };
    if (result.outcome !== "success") return { error: [result.outcome], events: [], gasUsed };
    const logs = world.journal
      .logs()
      .map(({ address, topics, data }) => ({ address, topics, data: toHex(data) }));
    const events = parseEventLogs({ abi, logs: logs as never }) as unknown as {
      eventName: string;
      args: object;
    }[];
    return {
      value: lower(decodeFunctionResult({ abi, functionName, data: result.output, args } as never)),
      events: events.map(({ eventName, args }) => [eventName, lower(args)]),
      gasUsed,
    };
  }

  /** The result of a call that must succeed. */
  get(functionName: string, ...args: unknown[]): unknown {
    return this.must({}, functionName, ...args).value;
  }

  must(options: Options, functionName: string, ...args: unknown[]): Answer {
    const answer = this.send(options, functionName, ...args);
    if (answer.error !== undefined) throw new Error(`${functionName}: ${answer.error.map(String).join(" ")}`);
    return answer;
  }
}

function errorOf(abi: Abi, data: Hex): readonly unknown[] {
  try {
    const { errorName, args } = decodeErrorResult({ abi, data });
    return [errorName, ...(args ?? [])];
  } catch {
    return [reasonOf(data)];
  }
}

function describeError(abi: Abi, data: Hex): string {
  return errorOf(abi, data).map(String).join(" ");
}

/** viem writes checksums; the chain and these specs do not. */
function lower<T>(value: T): T {
  if (typeof value === "string") return (/^0x[0-9a-fA-F]*$/.test(value) ? value.toLowerCase() : value) as T;
  if (Array.isArray(value)) return value.map(lower) as T;
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, lower(part)])) as T;
}
