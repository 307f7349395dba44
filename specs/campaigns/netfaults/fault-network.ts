/** A testnet whose nodes live on hosts of their own, joined by a switch that can be told to misbehave. See specs/campaigns/netfaults/netfaults.md. */
import { setTimeout as pause } from "node:timers/promises";
import { readSystemAllocation } from "../../../contracts/build/system-image.ts";
import { launchOf } from "../../../testnet/launch.ts";
import { prepareNetwork } from "../../../testnet/network-files.ts";
import { type NodeProcess, startNode, stopNode } from "../../../testnet/node-process.ts";
import { nodeStatus } from "../../../testnet/node-status.ts";
import { parseTestnetOptions } from "../../../testnet/options.ts";
import { portsOf } from "../../../testnet/ports.ts";
import { ScenarioFailure, type ScenarioNetwork } from "../../../testnet/scenarios/scenario.ts";
import { createUntil } from "../../../testnet/scenarios/until.ts";
import { type FaultSwitch, type Host, type LinkFault, startFaultSwitch } from "./fault-switch.ts";

/** Between the start of the processes and genesis. */
const GENESIS_DELAY_SECONDS = 4;
const FETCH_TRIES = 20;
const FETCH_PAUSE_MS = 500;
/** Every host has its ports to itself. */
const BASE_PORT = 22_000;

export type FaultNetwork = ScenarioNetwork & {
  /** Both directions between two nodes. */
  link(one: number, other: number, fault: LinkFault): Promise<void>;
  /** What one node says to another; the other direction stays as it is. */
  oneWay(from: number, to: number, fault: LinkFault): Promise<void>;
  /** Every direction of every link. */
  everywhere(fault: LinkFault): Promise<void>;
  /** Stops the processes as a closed lid does, and lets them go on. */
  suspend(nodes: readonly number[]): void;
  resume(nodes: readonly number[]): void;
  /** kill -9. */
  kill(node: number): Promise<void>;
  metrics(node: number): Promise<string>;
  /** SSZ of its head. */
  headBlock(node: number): Promise<Uint8Array>;
  readonly slotSeconds: number;
  /** A host without a node: an attacker's. */
  addHost(): Promise<Host>;
  /** Where a node's peers find it. */
  peerAddress(node: number): string;
  readonly specPath: string;
  close(): Promise<void>;
};

/** All nodes run and serve JSON-RPC when this resolves. */
export async function startFaultNetwork(
  dir: string,
  nodes: number,
  note: (text: string) => void,
  slotSeconds = 1,
): Promise<FaultNetwork> {
  const options = parseTestnetOptions([
    ...["--dir", dir, "--nodes", String(nodes)],
    ...["--base-port", String(BASE_PORT), "--slot-seconds", String(slotSeconds)],
  ]);
  const genesisTime = Math.ceil(Date.now() / 1000) + GENESIS_DELAY_SECONDS;
  const { specPath } = prepareNetwork(options, genesisTime, readSystemAllocation());
  const faults: FaultSwitch = startFaultSwitch();
  const hosts: Host[] = [];
  for (let number = 1; number <= nodes; number++) hosts.push(await faults.addHost());
  const processes = new Map<number, NodeProcess>();
  const hostOf = (number: number): Host => {
    const host = hosts[number - 1];
    if (host === undefined) throw new ScenarioFailure(`there is no node ${number}`);
    return host;
  };
  const numbers = hosts.map(({ number }) => number);
  const running = () => [...processes.keys()];
  const urlOf = (number: number, role: "rpc" | "beacon" | "metrics") =>
    `http://${hostOf(number).controlAddress}:${portsOf(BASE_PORT, number)[role]}`;
  const peerAddress = (number: number) =>
    `/ip4/${hostOf(number).address}/tcp/${portsOf(BASE_PORT, number).p2p}`;
  const signal = (chosen: readonly number[], name: "SIGSTOP" | "SIGCONT") => {
    for (const number of chosen) processes.get(number)?.process.kill(name);
  };
  const pairs = numbers.flatMap((one) =>
    numbers.flatMap((other) => (one === other ? [] : [[one, other] as const])),
  );

  const network: FaultNetwork = {
    ...{
      nodes,
      slotSeconds,
      validatorsPerNode: options.validatorsPerNode,
      running,
      note,
      specPath,
      peerAddress,
    },
    url: (number) => urlOf(number, "rpc"),
    status: (number) => nodeStatus(urlOf(number, "rpc")),
    until: createUntil({
      status: (number) => network.status(number),
      running,
      slotSeconds,
    }),
    async start(number) {
      const { address, controlAddress, enter } = hostOf(number);
      const launch = launchOf({ ...options, nodes: 1, explorer: false }, specPath, number);
      const own = launch.args.filter((argument) => argument !== "--single-node");
      const control = ["--rpc-host", "--metrics-host", "--beacon-host"].flatMap((flag) => [
        flag,
        controlAddress,
      ]);
      const peers = numbers.filter((other) => other !== number).map(peerAddress);
      const args = [...own, ...control, "--p2p-host", address, "--bootstrap", ...peers];
      const process = startNode({ ...launch, args, enter, rpcHost: controlAddress });
      processes.set(number, process);
      await process.ready;
    },
    async stop(number) {
      const process = processes.get(number);
      processes.delete(number);
      if (process !== undefined) await stopNode(process);
    },
    async kill(number) {
      const process = processes.get(number);
      processes.delete(number);
      process?.process.kill("SIGKILL");
      await process?.ended;
    },
    startExtra() {
      throw new ScenarioFailure("no extra nodes here");
    },
    suspend: (chosen) => signal(chosen, "SIGSTOP"),
    resume: (chosen) => signal(chosen, "SIGCONT"),
    oneWay: (from, to, fault) => faults.setLink(from, to, fault),
    async link(one, other, fault) {
      await faults.setLink(one, other, fault);
      await faults.setLink(other, one, fault);
    },
    async everywhere(fault) {
      for (const [one, other] of pairs) await faults.setLink(one, other, fault);
    },
    partition(group) {
      for (const [one, other] of pairs) {
        if (group.includes(one) !== group.includes(other)) void faults.setLink(one, other, { isCut: true });
      }
    },
    heal() {
      for (const [one, other] of pairs) void faults.setLink(one, other, {});
    },
    async beacon(number, path) {
      const response = await fetch(`${urlOf(number, "beacon")}${path}`);
      return response.json();
    },
    async metrics(number) {
      const response = await fetch(`${urlOf(number, "metrics")}/metrics`);
      return response.text();
    },
    async headBlock(number) {
      const headers = { accept: "application/octet-stream" };
      // The head's block may still be on its way to the disk.
      for (let tries = 1; ; tries++) {
        const response = await fetch(`${urlOf(number, "beacon")}/eth/v2/beacon/blocks/head`, { headers });
        if (response.ok) return new Uint8Array(await response.arrayBuffer());
        if (tries === FETCH_TRIES) throw new ScenarioFailure(`node ${number}: ${await response.text()}`);
        await pause(FETCH_PAUSE_MS);
      }
    },
    addHost: () => faults.addHost(),
    async close() {
      signal(running(), "SIGCONT");
      await Promise.all(running().map((number) => network.stop(number)));
      await faults.close();
    },
  };
  try {
    await Promise.all(numbers.map((number) => network.start(number)));
  } catch (error) {
    await network.close();
    throw error;
  }
  return network;
}
