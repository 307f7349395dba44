/** Posts that arrive whole, and all that do not. Prose: server.md#the-fast-lane. */
import { deepEqual, equal, match } from "node:assert/strict";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { readPost } from "../../rpc/fast-lane.ts";
import { withServer } from "./server-fixture.ts";

const BODY = '{"jsonrpc":"2.0","id":1,"method":"eth_chainId"}';
const HEAD = `POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: ${BODY.length}`;
const POST = `${HEAD}\r\n\r\n${BODY}`;
const ANSWER = '{"jsonrpc":"2.0","id":1,"result":"0x1092"}';

const isFast = (text: string) => readPost(Buffer.from(text)) !== undefined;

/** Reads until `count` answers have come. */
async function answers(socket: Socket, count: number): Promise<string> {
  let text = "";
  while (text.split(ANSWER).length <= count) {
    const [chunk] = (await once(socket, "data")) as [Buffer];
    text += String(chunk);
  }
  return text;
}

async function open(port: number): Promise<Socket> {
  const socket = connect(port, "127.0.0.1").setNoDelay(true);
  await once(socket, "connect");
  return socket;
}

describe("rpc fast lane", () => {
  it("takes a whole post, and knows its body from its head", () => {
    const headers = "accept-encoding: gzip\r\norigin: https://a.example\r\nconnection: Keep-Alive";
    const post = readPost(Buffer.from(`${HEAD}\r\n${headers}\r\n\r\n${BODY}`));
    deepEqual(post?.body, BODY);
    deepEqual(
      { ...post?.head },
      {
        ...{ host: "localhost", origin: "https://a.example", contentType: "application/json" },
        ...{ acceptEncoding: "gzip", length: BODY.length },
      },
    );
  });

  it("leaves to the HTTP server whatever says more about framing, is malformed, partial or pipelined", () => {
    equal(isFast(POST), true);
    const others = [
      POST.slice(0, 40),
      POST.slice(0, -1),
      POST + POST,
      `${POST} `,
      POST.replace("POST /", "GET /"),
      POST.replace("POST / ", "POST /stream "),
      POST.replace("HTTP/1.1", "HTTP/1.0"),
      ...[
        "Transfer-Encoding: chunked",
        "Expect: 100-continue",
        "Upgrade: websocket",
        "Connection: close",
        "Content-Length: 1",
        "Host: other",
        " folded: line",
        "bad name: x",
        "no colon",
        "constructor: x",
      ].map((line) => `${HEAD}\r\n${line}\r\n\r\n${BODY}`),
      POST.replace(`${BODY.length}`, `+${BODY.length}`),
      POST.replace(`${BODY.length}`, `0x${BODY.length.toString(16)}`),
      `${HEAD}\r\nx: ${"y".repeat(5000)}\r\n\r\n${BODY}`,
    ];
    deepEqual(
      others.filter((text) => isFast(text)),
      [],
    );
  });

  it("does not carry a known head over to another length", () => {
    const known = { text: "", fields: undefined };
    equal(readPost(Buffer.from(POST), known)?.body, BODY);
    equal(readPost(Buffer.from(`${POST}x`), known), undefined);
    equal(readPost(Buffer.from(POST), known)?.body, BODY);
  });

  it("answers one request after the other on a kept connection", async () => {
    await withServer(async ({ server }) => {
      const socket = await open(server.port);
      for (let times = 0; times < 3; times++) {
        socket.write(POST);
        const text = await answers(socket, 1);
        match(text, /^HTTP\/1\.1 200 OK\r\n/);
        match(text, /\r\ndate: \w{3}, \d\d \w{3} \d{4}/);
        match(text, /\r\naccess-control-allow-origin: \*\r\n/);
      }
      socket.destroy();
    });
  });

  it("answers requests that come in pieces or together, whichever came before", async () => {
    await withServer(async ({ server, faults }) => {
      for (const [first, second] of [
        [POST.slice(0, 30), POST.slice(30)],
        [POST, POST + POST],
        [POST + POST.slice(0, 10), POST.slice(10) + POST],
      ] as const) {
        const socket = await open(server.port);
        socket.write(first);
        const expected = (first + second).split("POST /").length - 1;
        const read = answers(socket, expected);
        setImmediate(() => socket.write(second));
        await read;
        socket.destroy();
      }
      deepEqual(faults, []);
    });
  });

  it("answers a client that says no more, and then closes", async () => {
    await withServer(async ({ server }) => {
      const socket = await open(server.port);
      const closed = once(socket, "close");
      const read = answers(socket, 1);
      socket.end(POST);
      await read;
      await closed;
    });
  });

  it("lets the HTTP server refuse, on the same connection", async () => {
    await withServer(async ({ server }) => {
      const socket = await open(server.port);
      socket.write(POST);
      await answers(socket, 1);
      socket.write(POST.replace("Host: localhost", "Host: evil.example"));
      const [refused] = (await once(socket, "data")) as [Buffer];
      match(String(refused), /^HTTP\/1\.1 403 /);
      socket.destroy();
    });
  });
});
