/** What happened lately, by topic, so that a client that comes back hears what it missed. See specs/node/rest.md#events. */
import type { JsonObject } from "../../rpc/json.ts";

/** What is remembered may hold what it tells of: of a large network's votes this is less than a slot, whatever the limit. */
const EVENTS_KEPT_PER_TOPIC = 1024;

const EVENT_TOPICS = [
  "head",
  "block",
  "attestation",
  "single_attestation",
  "voluntary_exit",
  "finalized_checkpoint",
  "chain_reorg",
] as const;

export type EventTopic = (typeof EVENT_TOPICS)[number];

export function isEventTopic(text: string): text is EventTopic {
  return EVENT_TOPICS.some((topic) => topic === text);
}

export type RecordedEvent = {
  /** Counts through all topics, from 1. */
  readonly sequence: number;
  readonly topic: EventTopic;
  /** Its JSON, made when the first reader wants it. */
  text(): string;
};

export type EventLog = {
  record(topic: EventTopic, data: () => JsonObject): void;
  /** The first event of these topics after `sequence` that is remembered. */
  next(topics: readonly EventTopic[], sequence: number): RecordedEvent | undefined;
  /** Sequence of the newest event of these topics that is no longer remembered; 0 when all are. */
  newestForgotten(topics: readonly EventTopic[]): number;
  /** Sequence of the newest event; 0 before the first. */
  newest(): number;
};

type Kept = {
  /** A ring: the event written `n`-th lies at n modulo the limit. */
  readonly ring: RecordedEvent[];
  written: number;
  newestForgotten: number;
};

export function createEventLog(limit: number = EVENTS_KEPT_PER_TOPIC): EventLog {
  const kept = new Map<EventTopic, Kept>();
  for (const topic of EVENT_TOPICS) kept.set(topic, { ring: [], written: 0, newestForgotten: 0 });
  let newest = 0;

  return {
    record(topic, data) {
      const place = kept.get(topic);
      if (place === undefined) return;
      newest += 1;
      const index = place.written % limit;
      place.newestForgotten = place.ring[index]?.sequence ?? place.newestForgotten;
      place.ring[index] = { sequence: newest, topic, text: onceJson(data) };
      place.written += 1;
    },
    next(topics, sequence) {
      let first: RecordedEvent | undefined;
      for (const topic of topics) {
        const place = kept.get(topic);
        const event = place === undefined ? undefined : firstAfter(place, limit, sequence);
        if (event !== undefined && (first === undefined || event.sequence < first.sequence)) first = event;
      }
      return first;
    },
    newestForgotten: (topics) => Math.max(0, ...topics.map((topic) => kept.get(topic)?.newestForgotten ?? 0)),
    newest: () => newest,
  };
}

/** Sequences ascend around the ring, so halving finds the place. */
function firstAfter({ ring, written }: Kept, limit: number, sequence: number): RecordedEvent | undefined {
  let low = Math.max(0, written - limit);
  let high = written;
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if ((ring[middle % limit]?.sequence ?? 0) > sequence) high = middle;
    else low = middle + 1;
  }
  return low < written ? ring[low % limit] : undefined;
}

/** Once the text is made, what it was made of is let go. */
function onceJson(data: () => JsonObject): () => string {
  let source: string | (() => JsonObject) = data;
  return () => {
    if (typeof source !== "string") source = JSON.stringify(source());
    return source;
  };
}
