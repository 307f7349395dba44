/** A plain post's answer as the bytes of an HTTP response. See specs/rpc/server.md#the-fast-lane. */
import type { Dispatcher } from "./dispatch.ts";
import type { Post } from "./fast-lane.ts";
import {
  compressText,
  crossOriginHeaders,
  isAllowedHost,
  isCompressed,
  isJsonType,
} from "./http-exchange.ts";
import type { RpcContext } from "./method.ts";
import type { RpcLimits } from "./rpc-limits.ts";

type PostRules = {
  readonly limits: RpcLimits;
  readonly virtualHosts: readonly string[];
  readonly corsOrigins: readonly string[];
};

/** Undefined for what is to be refused: the HTTP server has the words for that. */
export async function answerPost(
  { head, body, bodyBytes }: Post,
  { limits, virtualHosts, corsOrigins }: PostRules,
  dispatcher: Dispatcher,
  context: () => RpcContext,
): Promise<string | Buffer | undefined> {
  // HTTP/1.1 requires a host; the HTTP server refuses a request without one.
  if (head.host === undefined || !isAllowedHost(head.host, virtualHosts)) return undefined;
  if (!isJsonType(head.contentType) || bodyBytes > limits.bodyBytes) return undefined;
  const answer = await dispatcher.handle(body, context());
  let lines = `date: ${httpDate()}\r\nconnection: keep-alive\r\n`;
  for (const [name, value] of crossOriginHeaders(corsOrigins, head.origin)) lines += `${name}: ${value}\r\n`;
  if (answer === undefined) return `HTTP/1.1 204 No Content\r\n${lines}\r\n`;
  lines += "content-type: application/json\r\n";
  if (!isCompressed(answer, head.acceptEncoding)) {
    const length = Buffer.byteLength(answer);
    const text = `HTTP/1.1 200 OK\r\n${lines}content-length: ${length}\r\n\r\n${answer}`;
    // ASCII, as nearly all answers are, leaves as the string it is.
    return length === answer.length ? text : Buffer.from(text, "utf8");
  }
  const packed = await compressText(answer);
  lines += `content-encoding: gzip\r\nvary: accept-encoding\r\ncontent-length: ${packed.length}\r\n`;
  return Buffer.concat([Buffer.from(`HTTP/1.1 200 OK\r\n${lines}\r\n`, "latin1"), packed]);
}

const date = { second: 0, text: "" };

/** RFC 9110, section 6.6.1: a server with a clock sends the date. Written once a second. */
function httpDate(): string {
  const second = Math.floor(Date.now() / 1000);
  if (second !== date.second) {
    date.second = second;
    date.text = new Date(second * 1000).toUTCString();
  }
  return date.text;
}
