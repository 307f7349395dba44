import { deepEqual, equal, rejects } from "node:assert/strict";
import { once } from "node:events";
import { MessageChannel } from "node:worker_threads";
import type { ExecutionPort, ExecutionUpcalls } from "../../node/execution/port.ts";
import { createExecutionClient, type ExecutionClient } from "../../node/execution/port-client.ts";
import { PortError } from "../../node/execution/port-error.ts";
import { createUpcalls, serveExecution } from "../../node/execution/port-server.ts";
import { hashOf } from "./model-state.ts";

type Ends = {
  readonly client: ExecutionClient;
  /** The service's way to say something unasked. */
  readonly upcalls: ExecutionUpcalls;
  /** What the client heard unasked, in order. */
  readonly heard: unknown[];
  /** Resolves when the client heard something more. */
  nextHeard(): Promise<void>;
};

/** Client and service with a real message channel between them. */
async function withPort(service: Partial<ExecutionPort>, body: (ends: Ends) => Promise<void>): Promise<void> {
  const { port1, port2 } = new MessageChannel();
  const heard: unknown[] = [];
  const hearing = new EventTarget();
  const hear = (what: unknown) => {
    heard.push(what);
    hearing.dispatchEvent(new Event("heard"));
  };
  const client = createExecutionClient(port1, {
    traceGossip: () => undefined,
    publishTransactions: (raws) => hear(raws),
    fatal: (message) => hear(message.split("\n")[0]),
    ask: async (question) =>
      question.about === "setChange" ? Promise.reject(new Error("broken")) : { json: { ...question } },
  });
  serveExecution(port2, service as ExecutionPort);
  const nextHeard = async () => void (await once(hearing, "heard"));
  try {
    await body({ client, upcalls: createUpcalls(port2), heard, nextHeard });
  } finally {
    port1.close();
    port2.close();
  }
}

const update = { head: hashOf(1), safe: hashOf(2), finalized: hashOf(3) };

describe("execution port", () => {
  it("carries arguments and results, each to its call, in whatever order the answers come", async () => {
    const asked: unknown[] = [];
    const answers: ((known: readonly (Uint8Array | undefined)[]) => void)[] = [];
    const service: Partial<ExecutionPort> = {
      setForkchoice: async (given) => {
        asked.push(given);
        return { status: "syncing" };
      },
      getTransactionsByHash: () => new Promise((resolve) => answers.push(resolve)),
      addGossipedTransactions: async ({ raws }) => {
        for (const [index, answer] of answers.reverse().entries()) answer([Uint8Array.of(index), undefined]);
        return raws.map(() => "accept");
      },
    };
    await withPort(service, async ({ client }) => {
      deepEqual(await client.setForkchoice(update), { status: "syncing" });
      deepEqual(asked, [update]);
      const results = await Promise.all([
        client.getTransactionsByHash([hashOf(1)]),
        client.getTransactionsByHash([hashOf(2)]),
        client.addGossipedTransactions({ peer: "a", raws: [Uint8Array.of(1), Uint8Array.of(2)] }),
      ]);
      deepEqual(results, [
        [Uint8Array.of(1), undefined],
        [Uint8Array.of(0), undefined],
        ["accept", "accept"],
      ]);
    });
  });

  it("keeps the code of a failure the caller may expect, and nothing else is said", async () => {
    const detail = { code: "PARENT_UNKNOWN", parentHash: hashOf(9) } as const;
    const service: Partial<ExecutionPort> = {
      progress: async () => {
        throw new PortError(detail);
      },
    };
    await withPort(service, async ({ client, heard }) => {
      await rejects(client.progress(), (error) => {
        deepEqual((error as PortError).detail, detail);
        return error instanceof PortError;
      });
      deepEqual(heard, []);
    });
  });

  it("fails the call and says fatal when the service breaks", async () => {
    const service: Partial<ExecutionPort> = {
      setForkchoice: async () => {
        throw new Error("broken disk");
      },
    };
    await withPort(service, async ({ client, heard, nextHeard }) => {
      const hears = nextHeard();
      await rejects(client.setForkchoice(update), { name: "PortError", message: /^PORT_CALL_FAILED/ });
      await hears;
      deepEqual(heard, ["Error: broken disk"]);
    });
  });

  it("carries what the service says unasked", async () => {
    await withPort({}, async ({ upcalls, heard, nextHeard }) => {
      const hears = nextHeard();
      upcalls.publishTransactions([Uint8Array.of(1, 2)]);
      await hears;
      deepEqual(heard, [[Uint8Array.of(1, 2)]]);
    });
  });

  it("fails waiting and later calls when the other side is gone", async () => {
    await withPort({ progress: () => new Promise(() => undefined) }, async ({ client }) => {
      const waiting = client.progress();
      client.disconnect("the worker exited");
      const closed = { name: "PortError", message: "PORT_CLOSED reason=the worker exited" };
      await rejects(waiting, closed);
      await rejects(client.progress(), closed);
      equal(await client.metrics().catch((error: Error) => error.message), closed.message);
    });
  });

  it("asks consensus what light clients and operators want to know, and tells what comes back", async () => {
    await withPort({}, async ({ upcalls }) => {
      const asked = [
        upcalls.ask({ about: "addPeer", address: "/ip4/127.0.0.1/tcp/1" }),
        upcalls.ask({ about: "finalizedBlock", period: 7 }),
        upcalls.ask({ about: "setChange", period: 1 }),
      ];
      deepEqual(await Promise.all(asked), [
        { json: { about: "addPeer", address: "/ip4/127.0.0.1/tcp/1" } },
        { json: { about: "finalizedBlock", period: 7 } },
        { unavailable: "Error: broken" },
      ]);
    });
  });
});
