import { deepEqual, equal, ok } from "node:assert/strict";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { setImmediate } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import fc from "fast-check";
import { createEventLog, type EventTopic } from "../../node/rest/event-log.ts";
import {
  createEventHub,
  EVENT_READERS_LIMIT,
  type EventHub,
  serveEvents,
} from "../../node/rest/event-stream.ts";
import { RestError } from "../../node/rest/rest-error.ts";
import { EventClient } from "./rest-fixture.ts";

describe("the log of events", () => {
  it("gives in order what it remembers, and knows what it forgot", () => {
    const topic = fc.constantFrom<EventTopic[]>("head", "block", "attestation");
    fc.assert(
      fc.property(
        fc.array(topic, { maxLength: 60 }),
        fc.integer({ min: 1, max: 8 }),
        fc.nat(60),
        (recorded, limit, from) => {
          const log = createEventLog(limit);
          for (const [i, name] of recorded.entries()) log.record(name, () => ({ n: i + 1 }));
          const wanted: readonly EventTopic[] = ["head", "block"];
          const all = recorded.map((name, i) => ({ name, sequence: i + 1 }));
          const kept = wanted
            .flatMap((name) => all.filter((event) => event.name === name).slice(-limit))
            .sort((a, b) => a.sequence - b.sequence);
          const read: number[] = [];
          for (
            let at = from, event = log.next(wanted, at);
            event !== undefined;
            event = log.next(wanted, at)
          ) {
            at = event.sequence;
            deepEqual(JSON.parse(event.text()), { n: at });
            read.push(at);
          }
          deepEqual(
            read,
            kept.map(({ sequence }) => sequence).filter((sequence) => sequence > from),
          );
          const lost = all.filter(
            ({ name, sequence }) =>
              wanted.includes(name) && !kept.some((event) => event.sequence === sequence),
          );
          equal(log.newestForgotten(wanted), lost.at(-1)?.sequence ?? 0);
          equal(log.newest(), recorded.length);
        },
      ),
    );
  });

  it("lets go of what an event was made of, once its text is", async () => {
    setFlagsFromString("--expose-gc");
    const collect = runInNewContext("gc") as () => void;
    const log = createEventLog();
    const recordOne = (): WeakRef<object> => {
      const state = { size: 2 ** 20 };
      log.record("head", () => ({ size: state.size }));
      equal(log.next(["head"], 0)?.text(), '{"size":1048576}');
      return new WeakRef(state);
    };
    const state = recordOne();
    // A reference that was just looked at lasts until the turn ends.
    await setImmediate();
    collect();
    equal(state.deref(), undefined);
    equal(log.next(["head"], 0)?.text(), '{"size":1048576}');
  });
});

describe("a reader of events", () => {
  async function withHub(
    hub: EventHub,
    body: (port: number, server: Server) => Promise<void>,
  ): Promise<void> {
    const server = createServer((request, response) => {
      try {
        serveEvents(request, response, new URLSearchParams(request.url?.split("?")[1]), hub);
      } catch (error) {
        response.writeHead(error instanceof RestError ? error.status : 500).end();
      }
    }).listen(0, "127.0.0.1");
    await new Promise((resolve) => server.once("listening", resolve));
    try {
      await body((server.address() as AddressInfo).port, server);
    } finally {
      hub.close();
      server.closeAllConnections();
      server.close();
    }
  }

  it("that does not keep up costs nothing, is told of the gap once, and gets the newest", async () => {
    let encoded = 0;
    const hub = createEventHub("run", createEventLog(16));
    await withHub(hub, async (port) => {
      const slow = await EventClient.open(port, "block,head");
      slow.pause();
      const count = 60_000;
      for (let n = 1; n <= count; n++) {
        hub.publish("block", () => {
          encoded += 1;
          return { n, padding: "x".repeat(1000) };
        });
      }
      ok(encoded < count / 2, `what is not read is not made (${encoded})`);
      slow.resume();
      const seen: number[] = [];
      let gaps = 0;
      for (let event = await slow.next(); ; event = await slow.next()) {
        if (event.event === "gap") gaps += 1;
        else seen.push(event.data["n"] as number);
        if (seen.at(-1) === count) break;
      }
      equal(gaps, 1);
      deepEqual(
        seen.slice(-16),
        Array.from({ length: 16 }, (_, i) => count - 15 + i),
      );
      slow.close();
    });
  });

  it("is turned away when there are too many", async () => {
    const hub = createEventHub("run");
    const leaving = Array.from({ length: EVENT_READERS_LIMIT }, () => hub.join(() => undefined));
    ok(leaving.every((leave) => leave !== undefined));
    await withHub(hub, async (port) => {
      const url = `http://127.0.0.1:${port}/eth/v1/events?topics=head`;
      equal((await fetch(url)).status, 503);
      leaving[0]?.();
      const accepted = await EventClient.open(port, "head");
      accepted.close();
    });
  });
});
