/** Asks a signer elsewhere (Web3Signer API) for signatures, in time or not at all. See specs/node/remote-signing.md. */
import { setTimeout as pause } from "node:timers/promises";
import { blsVerify } from "../../primitives/bls.ts";
import { fromHex, type Hex } from "../../primitives/bytes.ts";
import { isJsonObject } from "../../rpc/json.ts";
import { encodeSigningRequest, type SigningChain, type SigningMessage } from "./signing-message.ts";

export type RemoteFault =
  /** 412: the signer's own slashing protection. */
  | "REFUSED"
  /** 404: it has no such key. */
  | "UNKNOWN_KEY"
  /** Nobody answers, or only that it cannot, until the deadline. */
  | "UNREACHABLE"
  /** The answer is none of the API. */
  | "BAD_ANSWER"
  /** A signature, but not this key's over this message. */
  | "WRONG_SIGNATURE";

export type RemoteAnswer =
  | { readonly signature: Uint8Array }
  | { readonly fault: RemoteFault; readonly reason: string };

export type RemoteSignerPorts = {
  readonly chain: SigningChain;
  /** From the first attempt to the last answer. */
  readonly deadlineMs: number;
  /** The node stops: nothing is waited for any more. */
  readonly stopped: AbortSignal;
};

export type RemoteSigner = (
  url: string,
  publicKey: Hex,
  message: SigningMessage,
  signingRoot: Uint8Array,
) => Promise<RemoteAnswer>;

/** Requests on their way at once: a node of a thousand keys must not open as many connections. */
const REQUESTS_AT_ONCE = 64;
const FIRST_PAUSE_MS = 50;
/** Longer answers are none. */
const ANSWER_LIMIT_BYTES = 64 * 1024;
/** Ten thousand keys. */
const KEYS_LIMIT_BYTES = 1024 * 1024;

/**
 * A request is made once and sent again unchanged while nobody answers: whatever becomes of the attempts, they ask for
 * one and the same signature. An answer that says no ends it.
 */
export function createRemoteSigner({ chain, deadlineMs, stopped }: RemoteSignerPorts): RemoteSigner {
  const withTurn = createTurns(REQUESTS_AT_ONCE);
  return (url, publicKey, message, signingRoot) => {
    const deadline = AbortSignal.any([stopped, AbortSignal.timeout(deadlineMs)]);
    return withTurn(async () => {
      const body = JSON.stringify(encodeSigningRequest(message, signingRoot, chain));
      const target = `${url.replace(/\/+$/, "")}/api/v1/eth2/sign/${publicKey}`;
      const answer = await askUntil(target, body, deadline);
      if (!("signature" in answer)) return answer;
      const isRight = blsVerify(fromHex(publicKey), signingRoot, answer.signature);
      return isRight ? answer : { fault: "WRONG_SIGNATURE", reason: "it is not the key's over this message" };
    });
  };
}

async function askUntil(target: string, body: string, deadline: AbortSignal): Promise<RemoteAnswer> {
  let reason = "no answer in time";
  for (let pauseMs = FIRST_PAUSE_MS; !deadline.aborted; pauseMs *= 2) {
    const answer = await ask(target, body, deadline);
    if ("signature" in answer || answer.fault !== "UNREACHABLE") return answer;
    // The deadline's own message would hide why there was no answer before it.
    if (!deadline.aborted) reason = answer.reason;
    await pause(pauseMs, undefined, { signal: deadline }).catch(() => undefined);
  }
  return { fault: "UNREACHABLE", reason };
}

async function ask(target: string, body: string, signal: AbortSignal): Promise<RemoteAnswer> {
  let status: number;
  let text: string;
  try {
    const headers = { "content-type": "application/json", accept: "application/json" };
    const response = await fetch(target, { method: "POST", headers, body, signal, redirect: "error" });
    status = response.status;
    text = await readLimited(response, ANSWER_LIMIT_BYTES);
  } catch (error) {
    return { fault: "UNREACHABLE", reason: reasonOf(error) };
  }
  if (status === 200) return signatureOf(text);
  const reason = `${status} ${text.slice(0, 200).trim()}`;
  if (status === 412) return { fault: "REFUSED", reason };
  if (status === 404) return { fault: "UNKNOWN_KEY", reason };
  return { fault: status >= 500 || status === 429 ? "UNREACHABLE" : "BAD_ANSWER", reason };
}

/** `{"signature": "0x…"}`, or the hex alone, as the API allows. */
function signatureOf(text: string): RemoteAnswer {
  let value: unknown = text.trim();
  try {
    value = JSON.parse(text);
  } catch {
    // Plain text, then.
  }
  const signature = isJsonObject(value) ? value["signature"] : value;
  if (typeof signature === "string" && /^0x[0-9a-fA-F]{192}$/.test(signature)) {
    return { signature: fromHex(signature) };
  }
  return { fault: "BAD_ANSWER", reason: `no signature: ${text.slice(0, 200)}` };
}

/** Keys a signer says it has. @throws Error when it cannot be asked or answers something else. */
export async function fetchRemoteKeys(url: string, timeoutMs: number): Promise<readonly Hex[]> {
  const target = `${url.replace(/\/+$/, "")}/api/v1/eth2/publicKeys`;
  const signal = AbortSignal.timeout(timeoutMs);
  const response = await fetch(target, { signal, redirect: "error" });
  if (!response.ok) throw new Error(`${target} answers ${response.status}`);
  const keys = parsePublicKeys(await readLimited(response, KEYS_LIMIT_BYTES));
  if (keys === undefined) throw new Error(`${target} answers no list of public keys`);
  return keys;
}

/** A JSON list of keys; undefined when it is anything else. */
function parsePublicKeys(text: string): readonly Hex[] | undefined {
  let keys: unknown;
  try {
    keys = JSON.parse(text);
  } catch {
    return undefined;
  }
  const isKey = (key: unknown): key is string => typeof key === "string" && /^0x[0-9a-fA-F]{96}$/.test(key);
  if (!Array.isArray(keys) || !keys.every(isKey)) return undefined;
  return keys.map((key) => key.toLowerCase() as Hex);
}

async function readLimited(response: Response, limitBytes: number): Promise<string> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const part of response.body ?? []) {
    length += part.length;
    if (length > limitBytes) throw new Error(`an answer of more than ${limitBytes} bytes`);
    parts.push(part);
  }
  return Buffer.concat(parts).toString("utf8");
}

/** fetch says "fetch failed" and keeps the reason inside. */
export function reasonOf(error: unknown): string {
  const inner = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  if (!(inner instanceof Error)) return String(inner);
  return inner.message === "" ? String((inner as NodeJS.ErrnoException).code ?? inner.name) : inner.message;
}

function createTurns(atOnce: number) {
  const waiting: (() => void)[] = [];
  let running = 0;
  return async <T>(task: () => Promise<T>): Promise<T> => {
    if (running >= atOnce) await new Promise<void>((resolve) => waiting.push(resolve));
    running++;
    try {
      return await task();
    } finally {
      running--;
      waiting.shift()?.();
    }
  };
}
