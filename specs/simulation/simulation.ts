/** A network of real engines in virtual time, from one seed. See specs/simulation/simulation.md. */
import { containersOf, type SignedBeaconBlock } from "../../consensus/chain-containers.ts";
import { createGenesis, type Genesis } from "../../consensus/genesis.ts";
import type { ChainParams } from "../../consensus/params.ts";
import type { ExecutionPayload, ExecutionRequests } from "../../consensus/payload-containers.ts";
import { toPayloadHeader } from "../../consensus/process-payload.ts";
import { compoundingCredentials } from "../../consensus/withdrawal-credentials.ts";
import { blsPublicKey } from "../../primitives/bls.ts";
import { type Hash, toHex } from "../../primitives/bytes.ts";
import { sha256 } from "../../primitives/hash.ts";
import { interopSecretKey } from "../../primitives/interop-keys.ts";
import { Observer, type Report } from "./observer.ts";
import type { Plan, Scenario, Size } from "./plan.ts";
import { type RandomStream, randomStream } from "./random-stream.ts";
import { SimulatedDisk } from "./simulated-disk.ts";
import { createNetwork, type LinkOptions, type SimulatedNetwork } from "./simulated-network.ts";
import { SimulatedNode } from "./simulated-node.ts";
import { mutatedParams, type Switch, simulatorParams } from "./simulator-params.ts";
import { VirtualClock } from "./virtual-clock.ts";

export const GENESIS_TIME = 1_800_000_000;

export type Simulation = {
  /** What the engines play by, and what they should: the same, but for a mutant. */
  readonly params: ChainParams;
  readonly control: ChainParams;
  readonly isWithoutWatermark: boolean;
  /** Heads, checkpoints and pay are not compared with the naive ones. */
  readonly isJudgedByEffects: boolean;
  readonly genesis: Genesis;
  readonly genesisRoot: Hash;
  readonly clock: VirtualClock;
  readonly network: SimulatedNetwork;
  readonly nodes: SimulatedNode[];
  readonly observer: Observer;
  readonly publicKeys: readonly Uint8Array[];
  readonly emptyPayload: ExecutionPayload;
  readonly missedProposals: number;
  /** Latency of the best link. */
  readonly shortestMs: number;
  /** Of Byzantine nodes, in common. */
  readonly conspiracy: RandomStream;
  requestsAt(slot: number): ExecutionRequests;
  validatorsOf(node: number): readonly number[];
  rootOf(block: SignedBeaconBlock): Hash;
};

export type Run = Report & {
  readonly finding: string;
  readonly parts: readonly string[];
  /** Feeds what a node heard to it again in other orders; asked for once a seed. @throws Violation 7 */
  checkInputOrder(): void;
};

/** Runs a scenario to its end. @throws when an invariant or the scenario's own demand is broken. */
export function simulate(scenario: Scenario, seed: number, size: Size = {}, mutation: Switch = {}): Run {
  const whole = scenario.plan(seed, size);
  const parts = whole.parts.filter((_, index) => !(size.without ?? []).includes(index));
  const plan = { ...whole, parts };
  const simulation = createSimulation(plan, seed, mutation);
  const { clock, nodes, observer, params } = simulation;
  const slotMs = params.slotSeconds * 1000;
  for (const part of parts) {
    if ("steps" in part) for (const [atMs, act] of part.steps) clock.at(atMs, () => act(simulation));
    if (!("byzantine" in part)) continue;
    for (const node of part.byzantine(simulation)) nodes[node]!.behaviour = part.behave(simulation, node);
  }
  for (let slot = 0; slot < plan.slots; slot++) {
    for (const node of nodes) node.scheduleSlot(slot);
    clock.at(slot * slotMs + slotMs - 1, () => observer.onSlotEnd(slot));
  }
  clock.at(1, () => {
    for (const node of nodes) node.greet();
  });
  for (let slot = 1; slot <= plan.slots; slot++) {
    clock.runUntil(slot * slotMs - 1);
    if (plan.isDone?.(observer.slots) === true) break;
  }
  const report = observer.finish(plan, seed);
  return {
    ...{ ...report, finding: plan.check(report), parts: whole.parts.map(({ label }) => label) },
    checkInputOrder: () => observer.checkInputOrder(seed),
  };
}

/** Links of the plan, cut where its parts say so. */
function linksOf({ links, parts }: Plan): LinkOptions {
  const cuts = parts.flatMap((part) => ("cuts" in part ? [part.cuts] : []));
  const isCut = (from: number, to: number, nowMs: number): boolean =>
    cuts.some((cut) => cut(from, to, nowMs));
  return {
    ...links,
    isConnected: (from, to, nowMs) => links.isConnected(from, to, nowMs) && !isCut(from, to, nowMs),
  };
}

function createSimulation(plan: Plan, seed: number, mutation: Switch): Simulation {
  const params = mutatedParams(plan.params ?? {}, mutation);
  const isJudgedByEffects = mutation.isJudgedByEffects ?? false;
  const control = isJudgedByEffects ? params : simulatorParams(plan.params ?? {});
  const containers = containersOf(params);
  const publicKeys = publicKeysOf(plan.validators ?? plan.nodes);
  const emptyPayload = containers.ExecutionPayload.defaultValue();
  const genesis = genesisOf(plan, params, publicKeys, seed);
  const clock = new VirtualClock();
  const roots = new WeakMap<SignedBeaconBlock, Hash>();
  const simulation: Simulation = {
    ...{ params, control, genesis, clock, publicKeys, emptyPayload, nodes: [] },
    isWithoutWatermark: mutation.withoutWatermark ?? false,
    isJudgedByEffects,
    genesisRoot: toHex(genesis.blockRoot),
    network: createNetwork(clock, randomStream(seed, "network"), linksOf(plan)),
    observer: new Observer(() => simulation),
    missedProposals: plan.missedProposals ?? 0,
    shortestMs: plan.links.minLatencyMs,
    conspiracy: randomStream(seed, "conspiracy"),
    requestsAt: (slot) => ({
      ...containers.ExecutionRequests.defaultValue(),
      ...plan.requestsAt?.(slot),
    }),
    validatorsOf: plan.validatorsOf ?? ((node) => [node]),
    rootOf(block) {
      const root = roots.get(block) ?? toHex(containers.BeaconBlock.hashTreeRoot(block.message));
      roots.set(block, root);
      return root;
    },
  };
  for (let index = 0; index < plan.nodes; index++) {
    const disk = new SimulatedDisk({ state: genesis.state, epoch: 0, root: simulation.genesisRoot });
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

const geneses = new WeakMap<ChainParams, Map<string, Genesis>>();
/** Different seeds draw different proposers; as many geneses as this are enough for that. */
const GENESES = 32;

/** Checking keys and hashing the first state is slow: runs share their genesis. */
function genesisOf(
  { isPaidOut }: Plan,
  params: ChainParams,
  publicKeys: readonly Uint8Array[],
  seed: number,
): Genesis {
  const known = geneses.get(params) ?? new Map<string, Genesis>();
  geneses.set(params, known);
  const name = `${seed % GENESES} of ${publicKeys.length}${isPaidOut === undefined ? "" : ", paid out"}`;
  let genesis = known.get(name);
  if (genesis === undefined) {
    genesis = createGenesis({
      ...{ params, genesisTime: GENESIS_TIME },
      validators: publicKeys.map((pubkey, index) => ({
        pubkey,
        withdrawalCredentials: credentialsOf(index, isPaidOut?.(index) ?? false),
        amount: 32n * 10n ** 9n,
      })),
      executionHeader: {
        ...toPayloadHeader(containersOf(params).ExecutionPayload.defaultValue(), params),
        blockHash: sha256(new TextEncoder().encode(`execution genesis ${name}`)),
      },
    });
    known.set(name, genesis);
  }
  return genesis;
}

function credentialsOf(validator: number, isPaidOut: boolean): Uint8Array {
  const credentials = compoundingCredentials(new Uint8Array(20).fill(validator + 1));
  if (isPaidOut) credentials[0] = 1;
  return credentials;
}
