/** A beacon API server over a lone engine whose blocks and votes are made by hand. */
import { Agent, type IncomingMessage, request } from "node:http";
import { containersOf } from "../../consensus/chain-containers.ts";
import { type EngineStart, step } from "../../consensus/engine.ts";
import type { Effect, EngineEvent } from "../../consensus/engine-events.ts";
import type { Engine } from "../../consensus/engine-state.ts";
import { createBlockCodec } from "../../node/chain/block-codec.ts";
import { createInOrder, type InOrder } from "../../node/chain/in-order.ts";
import { createLog } from "../../node/log.ts";
import type { Network, PeerSummary } from "../../node/network/network-port.ts";
import { prepareRest } from "../../node/rest/start-rest.ts";
import { ConsensusBlocks } from "../../node/storage/consensus-blocks.ts";
import { fromHex } from "../../primitives/bytes.ts";
import {
  createWorkbench,
  FROM_SYNC,
  type MadeBlock,
  makeBlock,
  settle,
  startEngine,
  tick,
  votedChain,
  type Workbench,
} from "../support/lone-engine.ts";
import { withScratchDatabase } from "../support/scratch-database.ts";

export type Answer = { readonly status: number; readonly headers: Headers; readonly body: unknown };

export type RestFixture = {
  readonly bench: Workbench;
  readonly engine: Engine;
  readonly blocks: ConsensusBlocks;
  readonly inOrder: InOrder;
  readonly port: number;
  /** Topics and bytes handed to the network. */
  readonly published: { readonly topic: string; readonly data: Uint8Array }[];
  /** Imports blocks at the time of their slots and stores what became final. */
  grow(blocks: readonly MadeBlock[]): Promise<void>;
  submit(event: EngineEvent): void;
  get(path: string, headers?: Record<string, string>): Promise<Answer>;
  post(path: string, body: unknown): Promise<Answer>;
};

/** A block in every slot up to `last`, each after the first with everyone's votes; genesis included. */
export function wholeChain(bench: Workbench, last: number): MadeBlock[] {
  return votedChain(bench, [bench.genesis, makeBlock(bench, bench.genesis, 1)], last);
}

export const PEER: PeerSummary = {
  id: "12D3KooWPeer",
  address: "/ip4/127.0.0.1/tcp/9000/p2p/12D3KooWPeer",
  direction: "inbound",
  score: 0,
  status: {} as PeerSummary["status"],
  clockOffsetMs: undefined,
};

export async function withRest(
  validators: number,
  body: (fixture: RestFixture) => Promise<void>,
  start: Partial<EngineStart> = {},
): Promise<void> {
  await withScratchDatabase("consensus", async (database) => {
    const bench = createWorkbench(validators);
    const engine = startEngine(bench, { isSingleNode: true, ...start });
    const containers = containersOf(bench.params);
    const codec = createBlockCodec(containers);
    const blocks = new ConsensusBlocks(database);
    const faults: unknown[] = [];
    const inOrder = createInOrder((error) => faults.push(error));
    const rest = prepareRest({
      ...{ engine, containers, codec, blocks, database, inOrder, chainId: 8700, run: "run" },
      execution: { readState: async () => undefined, readCodes: async () => [] },
      genesis: {
        state: bench.genesis.state,
        block: bench.genesis.signed.message,
        blockRoot: fromHex(bench.genesis.root),
      },
      log: createLog({ levels: { level: "fatal", modules: {} }, json: true }),
      fatal: (error) => faults.push(error),
    });
    const store = rest.watching((effect) => inOrder.add(async () => storeEffect(blocks, codec, effect)));
    const run = (effects: readonly Effect[]) => settle(engine, effects).forEach(store);
    const submit = (event: EngineEvent) => run(step(engine, rest.watched(event)));
    const published: { topic: string; data: Uint8Array }[] = [];
    const server = await rest.listen({
      config: { beaconHost: "127.0.0.1", beaconPort: 0, beaconCorsOrigins: ["*"], beaconVirtualHosts: [] },
      network: fakeNetwork(published),
      ...{ submit, syncTargetSlot: () => undefined },
    });
    const url = `http://127.0.0.1:${server.port}`;
    try {
      await body({
        ...{ bench, engine, blocks, inOrder, port: server.port, published, submit },
        async grow(made) {
          for (const { signed } of made) {
            run(tick(engine, Math.max(signed.message.slot, engine.store.nowSlot)));
            run(
              step(engine, {
                type: "blockReceived",
                block: signed,
                arrivalMs: engine.nowMs,
                origin: FROM_SYNC,
              }),
            );
          }
          await inOrder.settled();
        },
        get: async (path, headers = {}) => answerOf(await fetch(url + path, { headers })),
        post: async (path, value) =>
          answerOf(
            await fetch(url + path, {
              method: "POST",
              headers: { "content-type": "application/json" },
              body: JSON.stringify(value),
            }),
          ),
      });
    } finally {
      await server.close();
      await inOrder.settled();
    }
    if (faults.length > 0) throw faults[0];
  });
}

function storeEffect(
  blocks: ConsensusBlocks,
  codec: ReturnType<typeof createBlockCodec>,
  effect: Effect,
): Promise<void> | undefined {
  if (effect.type === "storeBlock") {
    const { root, slot, block } = effect;
    return blocks.record({ blocks: [{ root, slot, bytes: codec.encode(block) }] });
  }
  if (effect.type !== "finalized") return undefined;
  const canonical = effect.canonicalRoots.map((root) => {
    const { slot } = codec.decode(blocks.get(root)!).message;
    return { root, slot };
  });
  const checkpoint = { ...effect.checkpoint, slot: effect.slot };
  return blocks.record({ finality: { checkpoint, canonical } });
}

function fakeNetwork(published: { topic: string; data: Uint8Array }[]): Network {
  const known: Partial<Network> = {
    peerId: "12D3KooWOurs",
    addresses: () => ["/ip4/127.0.0.1/tcp/9000/p2p/12D3KooWOurs"],
    peers: () => [PEER],
    async publish(topic, data) {
      published.push({ topic, data });
      return 1;
    },
  };
  return known as Network;
}

async function answerOf(response: Response): Promise<Answer> {
  const isJson = response.headers.get("content-type") === "application/json";
  const body = isJson ? await response.json() : new Uint8Array(await response.arrayBuffer());
  return { status: response.status, headers: response.headers, body };
}

export type SentEvent = {
  readonly id: string;
  readonly event: string;
  readonly data: Record<string, unknown>;
};

/** A client of the event stream that hands out events in the order they come. */
export class EventClient {
  readonly #events: SentEvent[] = [];
  readonly #waiting: ((event: SentEvent) => void)[] = [];
  readonly #response: IncomingMessage;
  #text = "";

  private constructor(response: IncomingMessage) {
    this.#response = response;
    response.setEncoding("utf8");
    response.on("data", (part: string) => this.#take(part));
    response.on("error", () => undefined);
  }

  static open(port: number, topics: string, lastEventId?: string): Promise<EventClient> {
    const headers = lastEventId === undefined ? {} : { "last-event-id": lastEventId };
    return new Promise((resolve, reject) => {
      request({ port, path: `/eth/v1/events?topics=${topics}`, headers, agent: new Agent() }, (response) =>
        resolve(new EventClient(response)),
      )
        .on("error", reject)
        .end();
    });
  }

  #take(part: string): void {
    const texts = (this.#text + part).split("\n\n");
    this.#text = texts.pop() ?? "";
    for (const text of texts) {
      const [, id = "", event = "", data = "{}"] = /^id: (.*)\nevent: (.*)\ndata: (.*)$/.exec(text) ?? [];
      if (event === "") continue;
      const sent = { id, event, data: JSON.parse(data) as Record<string, unknown> };
      const waiter = this.#waiting.shift();
      if (waiter === undefined) this.#events.push(sent);
      else waiter(sent);
    }
  }

  next(): Promise<SentEvent> {
    const event = this.#events.shift();
    return event === undefined
      ? new Promise((resolve) => this.#waiting.push(resolve))
      : Promise.resolve(event);
  }

  async take(count: number): Promise<readonly SentEvent[]> {
    const taken: SentEvent[] = [];
    while (taken.length < count) taken.push(await this.next());
    return taken;
  }

  pause(): void {
    this.#response.pause();
  }

  resume(): void {
    this.#response.resume();
  }

  close(): void {
    this.#response.destroy();
  }
}
