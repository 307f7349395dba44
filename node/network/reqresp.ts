/** The request protocols, typed at both ends. See specs/network/requests.md */
import type { Connection, Libp2p } from "@libp2p/interface";
import {
  BlocksByRange,
  BlocksByRoot,
  GOODBYE_REASON,
  Goodbye,
  type GoodbyeReason,
  MAX_REQUEST_BLOCKS,
  MAX_RESPONSE_BYTES,
  Status,
  TransactionsByHash,
} from "./messages.ts";
import type { NetworkHandlers, PeerId, TransactionSource } from "./network-port.ts";
import { MAX_INBOUND_STREAMS, PROTOCOL_NAMES, type ProtocolName, protocolId } from "./protocols.ts";
import { RequestClient } from "./request-client.ts";
import { RequestError } from "./request-errors.ts";
import {
  type PrepareAnswer,
  type PreparedAnswer,
  type RequestServerOptions,
  serveProtocol,
} from "./request-server.ts";

export interface ReqRespOptions extends RequestServerOptions {
  readonly libp2p: Libp2p;
  readonly connectionTo: (peer: PeerId) => Connection | undefined;
  readonly timeoutMs: number | undefined;
  readonly handlers: Pick<NetworkHandlers, "localStatus" | "blocks" | "transactions">;
  /** A peer told its status by asking for ours. */
  readonly onStatus: (peer: PeerId, status: Status) => void;
}

export class ReqResp {
  readonly #options: ReqRespOptions;
  readonly #client: RequestClient;

  constructor(options: ReqRespOptions) {
    this.#options = options;
    this.#client = new RequestClient(options);
  }

  async start(): Promise<void> {
    const prepare = prepareAnswers(this.#options);
    for (const name of PROTOCOL_NAMES) {
      await this.#options.libp2p.handle(protocolId(name), serveProtocol(name, prepare[name], this.#options), {
        // Beyond the peer's own limit, so that we see who exceeds it; libp2p's ends streams without a word.
        maxInboundStreams: 4 * MAX_INBOUND_STREAMS,
        maxOutboundStreams: MAX_INBOUND_STREAMS,
      });
    }
  }

  /** Ends every request of ours that is under way. */
  stop(): void {
    this.#client.close();
  }

  async status(peer: PeerId): Promise<Status> {
    const body = Status.serialize(ownStatus(this.#options));
    const [answer] = await this.#client.request(peer, "status", body);
    try {
      return Status.deserialize(answer ?? new Uint8Array(0));
    } catch (cause) {
      throw new RequestError({ code: "REQUEST_MALFORMED_ANSWER", peer, protocol: "status" }, { cause });
    }
  }

  async goodbye(peer: PeerId, reason: GoodbyeReason): Promise<void> {
    await this.#client.request(peer, "goodbye", Goodbye.serialize(GOODBYE_REASON[reason]));
  }

  blocksByRange(peer: PeerId, request: BlocksByRange): Promise<Uint8Array[]> {
    return this.#client.request(peer, "blocks_by_range", BlocksByRange.serialize(request), request.count);
  }

  blocksByRoot(peer: PeerId, roots: readonly Uint8Array[]): Promise<Uint8Array[]> {
    return this.#client.request(peer, "blocks_by_root", BlocksByRoot.serialize([...roots]), roots.length);
  }

  transactionsByHash(peer: PeerId, hashes: readonly Uint8Array[]): Promise<Uint8Array[]> {
    const body = TransactionsByHash.serialize([...hashes]);
    return this.#client.request(peer, "transactions_by_hash", body, hashes.length);
  }
}

/** Ours, with the clock of this moment. */
function ownStatus({ handlers, nowMs }: ReqRespOptions): Status {
  return { ...handlers.localStatus(), clockMs: nowMs() };
}

/** How each protocol reads its request. What throws in here is the peer's fault. */
function prepareAnswers(options: ReqRespOptions): Record<ProtocolName, PrepareAnswer> {
  const { log, onStatus } = options;
  const { blocks, transactions } = options.handlers;
  return {
    status: (peer, body) => {
      const status = Status.deserialize(body);
      return {
        cost: 1,
        chunks: () => {
          onStatus(peer, status);
          return [Status.serialize(ownStatus(options))];
        },
      };
    },
    goodbye: (peer, body) => {
      const reason = Goodbye.deserialize(body);
      return {
        cost: 1,
        chunks: () => {
          log.debug("peer says goodbye", { peer, reason });
          return [];
        },
      };
    },
    blocks_by_range: (_peer, body) => {
      const { startSlot, count } = BlocksByRange.deserialize(body);
      if (count < 1 || count > MAX_REQUEST_BLOCKS) throw new RangeError(`${count} blocks`);
      return { cost: count, chunks: () => withinBytes(blocks.blocksByRange(startSlot, count)) };
    },
    blocks_by_root: (_peer, body) =>
      found(BlocksByRoot.deserialize(body), (root) => blocks.blockByRoot(root)),
    transactions_by_hash: (_peer, body) => {
      const hashes = TransactionsByHash.deserialize(body);
      if (hashes.length === 0) throw new RangeError("nothing asked for");
      return { cost: hashes.length, chunks: () => pooled(transactions, hashes) };
    },
  };
}

function found(
  keys: readonly Uint8Array[],
  lookUp: (key: Uint8Array) => Uint8Array | undefined,
): PreparedAnswer {
  if (keys.length === 0) throw new RangeError("nothing asked for");
  function* chunks(): Iterable<Uint8Array> {
    for (const key of keys) {
      const value = lookUp(key);
      if (value !== undefined) yield value;
    }
  }
  return { cost: keys.length, chunks: () => withinBytes(chunks()) };
}

/** The pool lives on another thread, hence the wait. */
async function* pooled(source: TransactionSource, hashes: readonly Uint8Array[]): AsyncIterable<Uint8Array> {
  const transactions = await source.transactionsByHash(hashes);
  yield* withinBytes(transactions.filter((transaction) => transaction !== undefined));
}

/** The items up to the byte limit of an answer; the first is sent in any case. */
function* withinBytes(items: Iterable<Uint8Array>): Iterable<Uint8Array> {
  let total = 0;
  for (const item of items) {
    if (total > 0 && total + item.length > MAX_RESPONSE_BYTES) return;
    total += item.length;
    yield item;
  }
}
