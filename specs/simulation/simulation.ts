/** A network of real engines in virtual time, from one seed. See specs/simulation/simulation.md. */
import { containersOf, type SignedBeaconBlock } from "../../consensus/chain-containers.ts";
import { createGenesis, type Genesis } from "../../consensus/genesis.ts";
import type { ChainParams } from "../../consensus/params.ts";
import type { ExecutionPayload, ExecutionRequests } from "../../consensus/payload-containers.ts";
import { createParams } from "../../consensus/presets.ts";
import { toPayloadHeader } from "../../consensus/process-payload.ts";
import { blsPublicKey } from "../../primitives/bls.ts";
import { type Hash, toHex } from "../../primitives/bytes.ts";
import { sha256 } from "../../primitives/hash.ts";
import { interopSecretKey } from "../../primitives/interop-keys.ts";
import { Observer, type Report } from "./observer.ts";
import { randomStream } from "./random-stream.ts";
import { SimulatedDisk } from "./simulated-disk.ts";
import { createNetwork, type LinkOptions, type SimulatedNetwork } from "./simulated-network.ts";
import { SimulatedNode } from "./simulated-node.ts";
import { VirtualClock } from "./virtual-clock.ts";

export const GENESIS_TIME = 1_800_000_000;

export type Scenario = {
  readonly name: string;
  /** One line for the report: what happens and what must follow. */
  readonly summary: string;
  readonly nodes: number;
  readonly slots: number;
  readonly links: LinkOptions;
  /** What happens from outside, and when, in milliseconds; at a slot's start before the nodes wake. */
  readonly events: readonly (readonly [atMs: number, act: (nodes: readonly SimulatedNode[]) => void])[];
  /** Beyond the invariants, which hold always; throws when not met, else says what was found. */
  check(report: Report): string;
};

export type Simulation = {
  readonly params: ChainParams;
  readonly genesis: Genesis;
  readonly genesisRoot: Hash;
  readonly clock: VirtualClock;
  readonly network: SimulatedNetwork;
  readonly nodes: SimulatedNode[];
  readonly observer: Observer;
  readonly publicKeys: readonly Uint8Array[];
  readonly emptyPayload: ExecutionPayload;
  readonly emptyRequests: ExecutionRequests;
  validatorsOf(node: number): readonly number[];
  rootOf(block: SignedBeaconBlock): Hash;
};

/** Runs a scenario to its end. @throws when an invariant or the scenario's own demand is broken. */
export function simulate(scenario: Scenario, seed: number): Report & { readonly finding: string } {
  const simulation = createSimulation(scenario, seed);
  const { clock, nodes, observer, params } = simulation;
  const slotMs = params.slotSeconds * 1000;
  for (const [atMs, act] of scenario.events) clock.at(atMs, () => act(nodes));
  for (let slot = 0; slot < scenario.slots; slot++) {
    for (const node of nodes) node.scheduleSlot(slot);
    clock.at(slot * slotMs + slotMs - 1, () => observer.onSlotEnd(slot, nodes));
  }
  clock.at(1, () => {
    for (const node of nodes) node.greet();
  });
  clock.runUntil(scenario.slots * slotMs);
  const report = observer.finish(scenario, seed, nodes);
  return { ...report, finding: scenario.check(report) };
}

function createSimulation(scenario: Scenario, seed: number): Simulation {
  const params = createParams("testnet");
  const containers = containersOf(params);
  const publicKeys = publicKeysOf(scenario.nodes);
  const emptyPayload = containers.ExecutionPayload.defaultValue();
  const genesis = createGenesis({
    ...{ params, genesisTime: GENESIS_TIME },
    validators: publicKeys.map((pubkey) => ({
      pubkey,
      withdrawalCredentials: new Uint8Array(32),
      amount: 32n * 10n ** 9n,
    })),
    executionHeader: {
      ...toPayloadHeader(emptyPayload, params),
      blockHash: sha256(new TextEncoder().encode(`execution genesis of seed ${seed}`)),
    },
  });
  const clock = new VirtualClock();
  const genesisRoot = toHex(genesis.blockRoot);
  const simulation: Simulation = {
    ...{ params, genesis, genesisRoot, clock, publicKeys, emptyPayload, nodes: [] },
    network: createNetwork(clock, randomStream(seed, "network"), scenario.links),
    observer: new Observer(params, genesis, clock),
    emptyRequests: containers.ExecutionRequests.defaultValue(),
    validatorsOf: (node) => [node],
    rootOf: (block) => toHex(containers.BeaconBlock.hashTreeRoot(block.message)),
  };
  for (let index = 0; index < scenario.nodes; index++) {
    const disk = new SimulatedDisk({ state: genesis.state, epoch: 0, root: genesisRoot });
    simulation.nodes.push(new SimulatedNode(simulation, index, randomStream(seed, `node ${index}`), disk));
  }
  return simulation;
}

const keys: Uint8Array[] = [];

/** Real keys, since genesis checks them; made once per process. */
function publicKeysOf(count: number): readonly Uint8Array[] {
  while (keys.length < count) keys.push(blsPublicKey(interopSecretKey(keys.length)));
  return keys.slice(0, count);
}
