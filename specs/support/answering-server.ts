/** A server on this machine that answers as it is told to, for specs of whoever asks others over HTTP. */
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** @param attempt the first request is 1. */
type Answering = (response: ServerResponse, body: string, attempt: number) => void;

/** Runs `use` with the server's address and the bodies it got; the server ends with it. */
export async function withAnswers(
  answer: Answering,
  use: (url: string, bodies: readonly string[]) => Promise<void>,
): Promise<void> {
  const bodies: string[] = [];
  const server = createServer(async (request, response) => {
    let text = "";
    for await (const part of request) text += String(part);
    bodies.push(text);
    answer(response, text, bodies.length);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  try {
    await use(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, bodies);
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
}
