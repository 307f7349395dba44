/** Server-sent events with resumption: each reader pulls from the log at its own pace. See specs/node/rest.md#events. */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { JsonObject } from "../../rpc/json.ts";
import { createEventLog, type EventLog, type EventTopic, isEventTopic } from "./event-log.ts";
import { badRequest, RestError } from "./rest-error.ts";

export type EventHub = {
  /** Remembers an event and tells all who listen for its topic. */
  publish(topic: EventTopic, data: () => JsonObject): void;
  readonly log: EventLog;
  /** Names this run of the node: sequences begin anew with each. */
  readonly run: string;
  /** @returns undefined when there are too many readers already, otherwise how to leave. */
  join(wake: Wake): (() => void) | undefined;
  close(): void;
};

/** Called when there may be news, and now and then without: then a reader shows that it is alive. */
type Wake = (isKeepAlive: boolean) => void;

/** Readers at once; each holds a socket and a number. */
export const EVENT_READERS_LIMIT = 256;
/** A comment goes out this often, so that idle connections are seen to be alive. */
const KEEP_ALIVE_MS = 15_000;

/** @param run letters and digits that no other run of this node has. */
export function createEventHub(run: string, log: EventLog = createEventLog()): EventHub {
  const readers = new Set<Wake>();
  const wakeAll = (isKeepAlive: boolean): void => {
    for (const wake of readers) wake(isKeepAlive);
  };
  const keepAlive = setInterval(() => wakeAll(true), KEEP_ALIVE_MS).unref();
  return {
    ...{ log, run },
    publish(topic, data) {
      log.record(topic, data);
      wakeAll(false);
    },
    join(wake) {
      if (readers.size >= EVENT_READERS_LIMIT) return undefined;
      readers.add(wake);
      return () => readers.delete(wake);
    },
    close: () => clearInterval(keepAlive),
  };
}

/** Answers `GET /eth/v1/events?topics=…`. @throws RestError 400 for topics that do not exist, 503 when full. */
export function serveEvents(
  request: IncomingMessage,
  response: ServerResponse,
  query: URLSearchParams,
  hub: EventHub,
): void {
  const topics = topicsOf(query);
  const lastId = request.headers["last-event-id"] ?? query.get("last_event_id") ?? undefined;
  const start = lastId === undefined ? hub.log.newest() : positionOf(String(lastId), hub);
  const write = createReader(response, topics, hub, start);
  const leave = hub.join(write);
  if (leave === undefined) throw new RestError(503, "Too many event streams are open");
  response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-store" });
  response.flushHeaders();
  response.on("close", leave);
  response.on("error", leave);
  response.on("drain", () => write(false));
  write(false);
}

function topicsOf(query: URLSearchParams): readonly EventTopic[] {
  const names = query.getAll("topics").flatMap((value) => value.split(",").filter((name) => name !== ""));
  if (names.length === 0) throw badRequest("Invalid topics: none given");
  return [...new Set(names)].map((name) => {
    if (isEventTopic(name)) return name;
    throw badRequest(`Invalid topic: ${name.slice(0, 80)}`);
  });
}

/** An id of another run may have missed anything: undefined. @throws RestError 400 when it is no id of ours. */
function positionOf(id: string, { run, log }: EventHub): number | undefined {
  const [, ofRun, digits] = /^([0-9a-z]+)-(\d{1,15})$/.exec(id) ?? [];
  if (ofRun === undefined) throw badRequest(`Invalid Last-Event-ID: ${id.slice(0, 80)}`);
  return ofRun === run && Number(digits) <= log.newest() ? Number(digits) : undefined;
}

/**
 * Sends what comes after `start`, as fast as the client reads and no faster: nothing is queued for it. When events
 * were forgotten before it read them, it is told so by an event of its own.
 */
function createReader(
  response: ServerResponse,
  topics: readonly EventTopic[],
  { log, run }: EventHub,
  start: number | undefined,
): Wake {
  let position = start ?? 0;
  let hasGap = start === undefined;
  /** Up to here, what was forgotten has been told. */
  let toldForgotten = 0;
  const hasRoom = () => !response.writableNeedDrain && !response.destroyed;
  return (isKeepAlive) => {
    let isNews = false;
    while (hasRoom()) {
      const forgotten = log.newestForgotten(topics);
      hasGap ||= forgotten > Math.max(position, toldForgotten);
      const event = log.next(topics, position);
      if (hasGap) response.write(gapText(`${run}-${event === undefined ? position : event.sequence - 1}`));
      if (hasGap) toldForgotten = forgotten;
      isNews ||= hasGap || event !== undefined;
      hasGap = false;
      if (event === undefined) break;
      position = event.sequence;
      response.write(`id: ${run}-${position}\nevent: ${event.topic}\ndata: ${event.text()}\n\n`);
    }
    if (isKeepAlive && !isNews && hasRoom()) response.write(":\n\n");
  };
}

/** Clients that do not know this event pass over it, as the standard for server-sent events wants. */
function gapText(id: string): string {
  return `id: ${id}\nevent: gap\ndata: {"message":"events before this one are no longer kept"}\n\n`;
}
