/** Real nodes on loopback for the network specs. Everything is awaited as an event; nothing sleeps. */
import { setImmediate } from "node:timers/promises";
import { createIdentity } from "../../node/network/identity.ts";
import type { Status } from "../../node/network/messages.ts";
import { createNetwork, type NetworkOptions } from "../../node/network/network.ts";
import type {
  BlockSource,
  GossipMessage,
  Network,
  PeerId,
  TransactionSource,
  Verdict,
} from "../../node/network/network-port.ts";

export const FORK_DIGEST = new Uint8Array([1, 2, 3, 4]);

/** Things that happened and those who wait for them. */
export class Inbox<T> {
  readonly all: T[] = [];
  readonly #waiting: { readonly wants: (item: T) => boolean; readonly resolve: (item: T) => void }[] = [];

  push(item: T): void {
    this.all.push(item);
    for (const waiter of this.#waiting.splice(0)) {
      if (waiter.wants(item)) waiter.resolve(item);
      else this.#waiting.push(waiter);
    }
  }

  /** The first item that fits, past or future. */
  first(wants: (item: T) => boolean = () => true): Promise<T> {
    const past = this.all.find(wants);
    if (past !== undefined) return Promise.resolve(past);
    return this.#wait(wants);
  }

  /** The next item that fits, from now on. */
  next(wants: (item: T) => boolean = () => true): Promise<T> {
    return this.#wait(wants);
  }

  #wait(wants: (item: T) => boolean): Promise<T> {
    return new Promise((resolve) => this.#waiting.push({ wants, resolve }));
  }
}

let testsOver = 0;

/** Resolves when the condition holds; a wait in vain ends with mocha's own limit on the test. */
export async function until(condition: () => boolean): Promise<void> {
  const startedIn = testsOver;
  while (!condition() && startedIn === testsOver) await setImmediate();
}

export interface TestNode {
  readonly network: Network;
  readonly id: PeerId;
  readonly address: string;
  readonly gossip: Inbox<GossipMessage>;
  readonly statuses: Inbox<{ readonly peer: PeerId; readonly status: Status }>;
  readonly gone: Inbox<PeerId>;
  readonly penalties: Inbox<{ readonly peer: PeerId; readonly reason: string }>;
  /** What this node tells of itself. */
  readonly status: Status;
  /** What this node answers to gossip at once; undefined leaves the message waiting. */
  verdict: (message: GossipMessage) => Verdict | undefined;
  readonly blocks: { -readonly [Name in keyof BlockSource]: BlockSource[Name] };
  readonly transactions: { -readonly [Name in keyof TransactionSource]: TransactionSource[Name] };
}

const running: Network[] = [];

/** Closes every node of the spec. */
export async function closeAll(): Promise<void> {
  testsOver++;
  await Promise.all(running.splice(0).map((network) => network.close()));
}

export async function startNode(
  options: Partial<NetworkOptions> = {},
  status: Partial<Status> = {},
): Promise<TestNode> {
  const node: Omit<TestNode, "network" | "id" | "address"> = {
    gossip: new Inbox(),
    statuses: new Inbox(),
    gone: new Inbox(),
    penalties: new Inbox(),
    status: { ...emptyStatus(), ...status },
    verdict: () => "accept",
    blocks: { blocksByRange: () => [], blockByRoot: () => undefined },
    transactions: { transactionsByHash: async (hashes) => hashes.map(() => undefined) },
  };
  const network = await createNetwork({
    identity: await createIdentity(),
    forkDigest: FORK_DIGEST,
    handlers: {
      onGossip(message) {
        node.gossip.push(message);
        const verdict = node.verdict(message);
        if (verdict !== undefined) network.reportVerdict(message.messageId, verdict);
      },
      localStatus: () => node.status,
      onPeerStatus: (peer, told) => node.statuses.push({ peer, status: told }),
      onPeerDisconnected: (peer) => node.gone.push(peer),
      blocks: {
        blocksByRange: (...args) => node.blocks.blocksByRange(...args),
        blockByRoot: (root) => node.blocks.blockByRoot(root),
      },
      transactions: { transactionsByHash: (hashes) => node.transactions.transactionsByHash(hashes) },
    },
    log: {
      debug: (message, fields) => {
        if (message === "peer penalised") node.penalties.push(fields as { peer: PeerId; reason: string });
        if (process.env["NETWORK_SPEC_LOG"] !== undefined)
          console.error(network?.peerId.slice(-4), message, fields);
      },
      info: () => undefined,
      warn: () => undefined,
    },
    ...options,
  });
  running.push(network);
  return Object.assign(node, { network, id: network.peerId, address: network.addresses()[0] ?? "" });
}

/** Resolves when both know the other's status. The lower id dials, as it does without delay. */
export async function connect(from: TestNode, to: TestNode): Promise<void> {
  const [lower, higher] = from.id < to.id ? [from, to] : [to, from];
  lower.network.addPeerAddress(higher.address);
  await Promise.all([
    from.statuses.first(({ peer }) => peer === to.id),
    to.statuses.first(({ peer }) => peer === from.id),
  ]);
}

/** Resolves when each node passes blocks on to `count` others. */
export async function meshed(nodes: readonly TestNode[], count: number): Promise<void> {
  await until(() => nodes.every(({ network }) => network.meshPeers("beacon_block") >= count));
}

export function emptyStatus(): Status {
  const zero = new Uint8Array(32);
  return {
    forkDigest: FORK_DIGEST,
    genesisBlockRoot: zero,
    finalized: { epoch: 0, root: zero },
    justified: { epoch: 0, root: zero },
    justifiedProofRoot: zero,
    headSlot: 0,
    headRoot: zero,
    earliestAvailableSlot: 0,
    clockMs: 0,
  };
}
