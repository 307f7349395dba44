/** One node asked for a checkpoint over its beacon API. See specs/node/checkpoint-sync.md#providers. */
import { type Hash, type Hex, toHex } from "../../primitives/bytes.ts";
import type { StateEntries } from "../execution/port.ts";
import { CheckpointError, decodeByteList, decodeEntries } from "./checkpoint.ts";

/** A request that takes longer has failed. */
const REQUEST_TIMEOUT_MS = 60_000;
/** Longest answer read: the state of a million validators has about 200 MB. */
const ANSWER_LIMIT_BYTES = 512 * 1024 * 1024;
const JSON_LIMIT_BYTES = 64 * 1024;
/** Codes asked for at a time. */
const CODES_PER_REQUEST = 64;

export type OfferedCheckpoint = { readonly root: Hash; readonly epoch: number };

export type CheckpointProvider = {
  readonly url: string;
  /** The finalized checkpoint it can serve whole. @throws CheckpointError */
  offered(): Promise<OfferedCheckpoint>;
  /** Whether it has this block as a finalized one. @throws CheckpointError */
  isFinalized(root: Hash): Promise<boolean>;
  /** SSZ. @throws CheckpointError */
  block(root: Hash): Promise<Uint8Array>;
  /** SSZ of the state after the checkpoint's block. @throws CheckpointError */
  state(root: Hash): Promise<Uint8Array>;
  /** @throws CheckpointError */
  entries(blockNumber: number, table: "accounts" | "storage"): Promise<StateEntries>;
  /** @throws CheckpointError */
  codes(hashes: readonly Hash[]): Promise<readonly Uint8Array[]>;
};

/** @param onEntries told how many entries have come so far. */
export function createProvider(baseUrl: string, onEntries: (count: number) => void): CheckpointProvider {
  const url = baseUrl.replace(/\/+$/, "");
  const failed = (reason: string, cause?: unknown) =>
    new CheckpointError({ code: "CHECKPOINT_PROVIDER_FAILED", provider: url, reason }, { cause });
  const ask = (path: string, accept: string, limit: number) => request(url + path, accept, limit, failed);
  const bytes = async (path: string) => {
    const answer = await ask(path, "application/octet-stream", ANSWER_LIMIT_BYTES);
    if (answer === undefined) throw failed(`${path} is not there`);
    return answer;
  };
  const json = async (path: string): Promise<unknown> => {
    const answer = await ask(path, "application/json", JSON_LIMIT_BYTES);
    if (answer === undefined) return undefined;
    try {
      return JSON.parse(new TextDecoder().decode(answer));
    } catch (cause) {
      throw failed(`${path} answers no JSON`, cause);
    }
  };
  return {
    url,
    async offered() {
      const path = "/jurat/v1/checkpoint";
      const answer = (await json(path)) as {
        readonly data?: { readonly root?: unknown; readonly epoch?: unknown };
      };
      const { root, epoch } = answer?.data ?? {};
      if (typeof root === "string" && /^0x[0-9a-f]{64}$/.test(root) && Number.isSafeInteger(epoch)) {
        return { root: root as Hash, epoch: epoch as number };
      }
      throw failed(`${path} names no root and epoch: it has no checkpoint yet, or is no node of ours`);
    },
    async isFinalized(root) {
      const answer = (await json(`/eth/v1/beacon/headers/${root}`)) as
        | { readonly finalized?: unknown; readonly data?: { readonly canonical?: unknown } }
        | undefined;
      return answer?.finalized === true && answer.data?.canonical === true;
    },
    block: (root) => bytes(`/eth/v2/beacon/blocks/${root}`),
    state: (root) => bytes(`/jurat/v1/checkpoint/state?root=${root}`),
    async entries(blockNumber, table) {
      const all: (readonly [Uint8Array, Uint8Array])[] = [];
      for (let after: Hex = "0x"; ; ) {
        const path = `/jurat/v1/checkpoint/${table}?block=${blockNumber}&after=${after}`;
        const page = decodeEntries(await bytes(path), table);
        const last = page.at(-1)?.[0];
        if (last === undefined) return all;
        // Pages go up, or a provider could send for ever.
        if (toHex(last) <= after && after !== "0x") throw failed(`${path} does not go on`);
        for (const entry of page) all.push(entry);
        after = toHex(last);
        onEntries(page.length);
      }
    },
    async codes(hashes) {
      const all: Uint8Array[] = [];
      for (let at = 0; at < hashes.length; at += CODES_PER_REQUEST) {
        const wanted = hashes.slice(at, at + CODES_PER_REQUEST);
        all.push(
          ...decodeByteList(await bytes(`/jurat/v1/checkpoint/codes?hashes=${wanted.join(",")}`), "codes"),
        );
      }
      return all;
    },
  };
}

/** Undefined for 404. */
async function request(
  url: string,
  accept: string,
  limitBytes: number,
  failed: (reason: string, cause?: unknown) => CheckpointError,
): Promise<Uint8Array | undefined> {
  try {
    const response = await fetch(url, {
      headers: { accept },
      signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
      redirect: "error",
    });
    if (response.status === 404) return undefined;
    if (!response.ok || response.body === null) throw failed(`HTTP ${response.status} from ${url}`);
    return await readBody(
      response.body,
      () => failed(`more than ${limitBytes} bytes from ${url}`),
      limitBytes,
    );
  } catch (cause) {
    if (cause instanceof CheckpointError) throw cause;
    const reason =
      cause instanceof Error && cause.cause instanceof Error ? cause.cause.message : String(cause);
    throw failed(reason, cause);
  }
}

async function readBody(
  body: AsyncIterable<Uint8Array>,
  tooLong: () => CheckpointError,
  limitBytes: number,
): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const part of body) {
    length += part.length;
    if (length > limitBytes) throw tooLong();
    parts.push(part);
  }
  return new Uint8Array(Buffer.concat(parts));
}
