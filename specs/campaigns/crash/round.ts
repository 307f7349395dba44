/** One round: wait for the moment, kill, look at what is left, start again, compare with the others. */
import { fromHex, type Hash, type Hex } from "../../../primitives/bytes.ts";
import { deriveDevAccounts } from "../../../primitives/dev-accounts.ts";
import { verifyAccountProof } from "../../../vm/state/proof.ts";
import type { RandomStream } from "../../simulation/random-stream.ts";
import type { CrashNetwork, CrashNode } from "./crash-network.ts";
import { type FolderIdentity, inspectFolder } from "./inspect-folder.ts";
import { askPatiently, pause } from "./json-call.ts";
import type { Observer } from "./observer.ts";

/** When a node is killed. */
export const PHASES = [
  "at any moment",
  "at its own vote",
  "at its own block",
  "while it starts",
  "while it catches up",
  "all nodes at once",
] as const;
export type Phase = (typeof PHASES)[number];

const SLOT_MS = 1000;
/** Starts take this long or less: kills fall before, into and after the opening of the databases. */
const START_MS = 2500;
const CATCH_UP_MS = 400;
const READY_TIMEOUT_MS = 180_000;
/** Finality needs three slots; what is left is for a machine that does something else as well. */
const FINALITY_TIMEOUT_MS = 300_000;
/** A validator proposes in one slot of four, on average. */
const OWN_BLOCK_TIMEOUT_MS = 8000;

export type RoundResult = {
  readonly phase: Phase;
  readonly kills: number;
  /** Milliseconds from the last start to JSON-RPC, the slowest node's. */
  readonly startMs: number;
  readonly notOpened: readonly string[];
  readonly stateFaults: readonly string[];
  readonly unrecorded: readonly string[];
};

export type Campaign = {
  readonly network: CrashNetwork;
  readonly identity: FolderIdentity;
  readonly observer: Observer;
  readonly random: RandomStream;
};

/** Validator of node n: the testnet gives each node one. */
const validatorsOf = ({ number }: CrashNode) => [number - 1];

export async function playRound(campaign: Campaign, phase: Phase): Promise<RoundResult> {
  const { network, random } = campaign;
  const victims =
    phase === "all nodes at once"
      ? network.nodes
      : network.nodes.slice(random.below(network.nodes.length)).slice(0, 1);
  const stateFaults: string[] = [];
  const unrecorded: string[] = [];
  let kills = 0;
  const kill = async () => {
    await Promise.all(victims.map(({ number }) => network.kill(number)));
    kills += victims.length;
    for (const victim of victims) {
      const { seen, folder } = { seen: campaign.observer.signed, folder: victim.dir };
      const found = await inspectFolder(folder, campaign.identity, validatorsOf(victim), seen);
      stateFaults.push(...found.faults.map((fault) => `node ${victim.number}: ${fault}`));
      unrecorded.push(...found.unrecorded);
    }
  };
  await moment(campaign, phase, victims);
  await kill();
  if (phase === "while it starts" || phase === "while it catches up") {
    const started = victims.map(({ number }) => network.start(number));
    if (phase === "while it catches up") {
      await Promise.race([Promise.allSettled(started.map(({ ready }) => ready)), pause(READY_TIMEOUT_MS)]);
      await pause(random.below(CATCH_UP_MS));
    } else {
      await pause(random.below(START_MS));
    }
    await kill();
  }
  const { startMs, notOpened } = await startAgain(network, victims);
  if (notOpened.length === 0) stateFaults.push(...(await compare(network, victims)));
  return { phase, kills, startMs, notOpened, stateFaults, unrecorded };
}

async function moment(
  { observer, random }: Campaign,
  phase: Phase,
  victims: readonly CrashNode[],
): Promise<void> {
  const validators = victims.flatMap(validatorsOf);
  if (phase === "at its own vote")
    await Promise.race([observer.next("vote", validators), pause(OWN_BLOCK_TIMEOUT_MS)]);
  else if (phase === "at its own block") {
    await Promise.race([observer.next("block", validators), pause(OWN_BLOCK_TIMEOUT_MS)]);
  } else await pause(random.below(SLOT_MS));
}

async function startAgain(network: CrashNetwork, victims: readonly CrashNode[]) {
  const startedAt = performance.now();
  const outcomes = await Promise.all(
    victims.map(async ({ number }) => {
      const late = pause(READY_TIMEOUT_MS).then(() => "late" as const);
      const outcome = await Promise.race([network.start(number).ready.catch((error: Error) => error), late]);
      return outcome === undefined
        ? []
        : [`node ${number}: ${outcome === "late" ? "did not start" : outcome.message}`];
    }),
  );
  return { startMs: performance.now() - startedAt, notOpened: outcomes.flat() };
}

/** At the first block that became final after the start: the same block, and state that proves against it. */
async function compare(network: CrashNetwork, victims: readonly CrashNode[]): Promise<readonly string[]> {
  const before = await Promise.all(
    network.nodes.map((node) => network.status(node, () => true, FINALITY_TIMEOUT_MS)),
  );
  const number = Math.max(...before.map((status) => status?.finalizedNumber ?? 0)) + 1;
  for (const node of network.nodes) {
    const reached = await network.status(
      node,
      ({ finalizedNumber }) => finalizedNumber >= number,
      FINALITY_TIMEOUT_MS,
    );
    if (reached === undefined) return [`node ${node.number} did not see block ${number} final`];
  }
  const quantity = `0x${number.toString(16)}`;
  const roots = await Promise.all(
    network.nodes.map(async ({ url }) => {
      const block = await askPatiently<Readonly<Record<"hash" | "stateRoot", Hash>>>(
        url,
        "eth_getBlockByNumber",
        [quantity, false],
      );
      return `${block.hash} ${block.stateRoot}`;
    }),
  );
  if (new Set(roots).size > 1) return [`block ${number} differs: ${roots.join(", ")}`];
  const proofs = await Promise.all(
    victims.map((victim) => proofFault(victim, quantity, roots[0]?.split(" ")[1] as Hash)),
  );
  return proofs.flat();
}

async function proofFault(
  { number, url }: CrashNode,
  block: string,
  stateRoot: Hash,
): Promise<readonly string[]> {
  const faults: string[] = [];
  for (const { address } of deriveDevAccounts()) {
    type Proof = { readonly accountProof: readonly Hex[]; readonly balance: Hex };
    const proof = await askPatiently<Proof>(url, "eth_getProof", [address, [], block]);
    const account = verifyAccountProof(stateRoot, address, proof.accountProof.map(fromHex));
    if (account?.balance !== BigInt(proof.balance))
      faults.push(`node ${number} cannot prove ${address} at ${block}`);
  }
  return faults;
}
