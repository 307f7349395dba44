/** A testnet whose nodes are killed and started again one by one, without the supervisor's pause. */
import { readSystemAllocation } from "../../../contracts/build/system-image.ts";
import { launchOf } from "../../../testnet/launch.ts";
import { prepareNetwork } from "../../../testnet/network-files.ts";
import { type NodeProcess, startNode, stopNode } from "../../../testnet/node-process.ts";
import { type NodeStatus, nodeStatus } from "../../../testnet/node-status.ts";
import { parseTestnetOptions } from "../../../testnet/options.ts";
import { portsOf } from "../../../testnet/ports.ts";
import { pause } from "./json-call.ts";

const GENESIS_DELAY_SECONDS = 3;
const POLL_MS = 50;

export type CrashNode = { readonly number: number; readonly dir: string; readonly url: string };

export type CrashNetworkOptions = {
  readonly slotSeconds?: number;
  /** Of the chain spec, instead of the testnet's. */
  readonly preset?: string;
  /** Flags of Node itself for one node of the network. */
  readonly runtimeFlags?: (number: number) => readonly string[];
};

export class CrashNetwork {
  readonly chainId: number;
  readonly specPath: string;
  readonly nodes: readonly CrashNode[];
  readonly addresses: readonly string[];
  readonly #processes = new Map<number, NodeProcess>();
  readonly #launch: (number: number) => NodeProcess;

  constructor(
    dir: string,
    basePort: number,
    nodes: number,
    { slotSeconds = 1, preset, runtimeFlags = () => [] }: CrashNetworkOptions = {},
  ) {
    const options = parseTestnetOptions([
      "--dir",
      dir,
      "--base-port",
      String(basePort),
      "--nodes",
      String(nodes),
      "--slot-seconds",
      String(slotSeconds),
    ]);
    const genesisTime = Math.ceil(Date.now() / 1000) + GENESIS_DELAY_SECONDS;
    this.chainId = options.chainId;
    this.specPath = prepareNetwork(options, genesisTime, readSystemAllocation(), preset).specPath;
    this.#launch = (number) =>
      startNode({ ...launchOf(options, this.specPath, number), runtimeFlags: runtimeFlags(number) });
    const numbers = Array.from({ length: nodes }, (_, index) => index + 1);
    this.addresses = numbers.map((number) => `/ip4/127.0.0.1/tcp/${portsOf(basePort, number).p2p}`);
    this.nodes = numbers.map((number) => {
      const launch = launchOf(options, this.specPath, number);
      return { number, dir: launch.dir, url: `http://127.0.0.1:${launch.rpcPort}` };
    });
  }

  start(number: number): NodeProcess {
    const started = this.#launch(number);
    this.#processes.set(number, started);
    return started;
  }

  /** SIGKILL; resolves when the process is gone. */
  async kill(number: number): Promise<void> {
    const victim = this.#processes.get(number);
    victim?.process.kill("SIGKILL");
    await victim?.ended;
  }

  /** Undefined when the process is gone. */
  processId(number: number): number | undefined {
    const running = this.#processes.get(number)?.process;
    return running?.exitCode === null && running.signalCode === null ? running.pid : undefined;
  }

  lastWords(number: number): string {
    return this.#processes.get(number)?.lastWords() ?? "";
  }

  /** The first status of the node that fits; undefined when none did in time. */
  async status(
    { url }: CrashNode,
    fits: (status: NodeStatus) => boolean,
    timeoutMs: number,
  ): Promise<NodeStatus | undefined> {
    const deadline = performance.now() + timeoutMs;
    while (performance.now() < deadline) {
      const found = await nodeStatus(url);
      if (found !== undefined && fits(found)) return found;
      await pause(POLL_MS);
    }
    return undefined;
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#processes.values()].map(stopNode));
  }
}
