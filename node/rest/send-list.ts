/** A long `data` array, made and sent in pieces: votes and blocks get their turn between two of them. */
import type { ServerResponse } from "node:http";
import type { Json, JsonObject } from "../../rpc/json.ts";

/** Members made at once: about a millisecond of the consensus thread. */
const PIECE_ITEMS = 32;

/**
 * Writes `{…head, "data": […items]}`. A client that does not read holds nothing up and keeps nothing in memory but
 * one piece; one that leaves ends it.
 */
export async function sendList(
  response: ServerResponse,
  head: JsonObject,
  items: Iterable<Json>,
): Promise<void> {
  response.writeHead(200, { "content-type": "application/json" });
  const opening = JSON.stringify(head);
  let piece = `${opening.slice(0, -1)}${opening === "{}" ? "" : ","}"data":[`;
  let separator = "";
  let inPiece = 0;
  for (const item of items) {
    piece += separator + JSON.stringify(item);
    separator = ",";
    inPiece += 1;
    if (inPiece < PIECE_ITEMS) continue;
    if (!(await written(response, piece))) return;
    piece = "";
    inPiece = 0;
  }
  response.end(`${piece}]}`);
}

/** Resolves, to whether the client is still there, when there is room again and others had their turn. */
function written(response: ServerResponse, text: string): Promise<boolean> {
  return new Promise((resolve) => {
    if (response.destroyed) return resolve(false);
    if (response.write(text)) return void setImmediate(() => resolve(!response.destroyed));
    const onEnd = (): void => {
      response.off("drain", onEnd);
      response.off("close", onEnd);
      setImmediate(() => resolve(!response.destroyed));
    };
    response.once("drain", onEnd);
    response.once("close", onEnd);
  });
}
