/** The network of a scenario: processes that are started and stopped by hand, joined by relays. See specs/testnet/scenarios.md. */
import { launchOf } from "../launch.ts";
import { type NodeProcess, startNode, stopNode } from "../node-process.ts";
import { nodeStatus } from "../node-status.ts";
import type { TestnetOptions } from "../options.ts";
import { portsOf } from "../ports.ts";
import { type Relay, startRelay } from "./relay.ts";
import type { ScenarioNetwork } from "./scenario.ts";
import { createUntil } from "./until.ts";

export type RunningScenarioNetwork = ScenarioNetwork & { close(): Promise<void> };

export async function startScenarioNetwork(
  options: TestnetOptions,
  specPath: string,
  note: (text: string) => void,
): Promise<RunningScenarioNetwork> {
  const { nodes, basePort, slotSeconds, validatorsPerNode } = options;
  const relays = new Map<string, Relay>();
  const processes = new Map<number, NodeProcess>();
  let extras = 0;

  const linkTo = async (from: number, to: number): Promise<string> => {
    const key = `${from}-${to}`;
    const relay = relays.get(key) ?? (await startRelay(portsOf(basePort, to).p2p));
    relays.set(key, relay);
    return `/ip4/127.0.0.1/tcp/${relay.port}`;
  };
  const begin = async (number: number, keys: string | undefined) => {
    const launch = launchOf({ ...options, nodes: 1 }, specPath, number);
    const others = Array.from({ length: nodes }, (_, index) => index + 1).filter((other) => other !== number);
    const bootstrap = await Promise.all(others.map((other) => linkTo(number, other)));
    const args = withKeys(launch.args, keys);
    const network = bootstrap.length === 0 ? ["--single-node"] : ["--bootstrap", ...bootstrap];
    const process = startNode({ ...launch, args: [...args, ...network] });
    processes.set(number, process);
    await process.ready;
  };
  const keysOf = (number: number) => {
    const first = (number - 1) * validatorsPerNode;
    return `${first}-${first + validatorsPerNode - 1}`;
  };
  const stop = async (number: number) => {
    const process = processes.get(number);
    processes.delete(number);
    if (process !== undefined) await stopNode(process);
  };
  const url = (number: number) => `http://127.0.0.1:${portsOf(basePort, number).rpc}`;
  const running = () => [...processes.keys()];

  const network: RunningScenarioNetwork = {
    ...{ nodes, validatorsPerNode, running, stop, url, note },
    status: (number) => nodeStatus(url(number)),
    start: (number) => begin(number, keysOf(number)),
    async startExtra(keys) {
      extras += 1;
      await begin(nodes + extras, keys);
      return nodes + extras;
    },
    partition(group) {
      for (const [key, relay] of relays) {
        const [from, to] = key.split("-").map(Number);
        if (group.includes(from ?? 0) !== group.includes(to ?? 0)) relay.cut();
      }
    },
    heal() {
      for (const relay of relays.values()) relay.open();
    },
    async beacon(number, path) {
      const response = await fetch(`http://127.0.0.1:${portsOf(basePort, number).beacon}${path}`);
      return response.json();
    },
    until: createUntil({ status: (number) => network.status(number), running, slotSeconds }),
    async close() {
      await Promise.all(running().map(stop));
      await Promise.all([...relays.values()].map((relay) => relay.close()));
    },
  };
  await Promise.all(Array.from({ length: nodes }, (_, index) => network.start(index + 1)));
  return network;
}

/** The launch's own flags for keys and peers, replaced: nodes of a scenario meet over relays only. */
function withKeys(args: readonly string[], keys: string | undefined): readonly string[] {
  const keep: string[] = [];
  let isDropping = false;
  for (const argument of args) {
    if (argument.startsWith("--")) isDropping = REPLACED_FLAGS.includes(argument);
    if (!isDropping) keep.push(argument);
  }
  return keys === undefined ? keep : [...keep, "--interop-keys", keys];
}

const REPLACED_FLAGS: readonly string[] = ["--interop-keys", "--bootstrap", "--single-node"];
