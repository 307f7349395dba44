import { deepEqual, equal } from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import { type ChannelModel, connect } from "amqplib";
import type { Block } from "../../vm/block.ts";
import { withScratchDirectory } from "../support/scratch-directory.ts";
import { bridge } from "./amqp-bridge.ts";
import { withServer } from "./server-fixture.ts";

type Broker = { readonly url: string; readonly processes: readonly ChildProcess[] };

/** What the Debian package's wrapper runs; the wrapper itself would change the user and the folder. */
const SERVER = "/usr/lib/rabbitmq/bin/rabbitmq-server";

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** A broker of its own on loopback, that keeps everything below `directory`. */
async function startBroker(directory: string): Promise<Broker> {
  const [port, distribution, mapper] = [await freePort(), await freePort(), await freePort()];
  writeFileSync(join(directory, "rabbitmq.conf"), `listeners.tcp.default = 127.0.0.1:${port}\n`);
  writeFileSync(join(directory, "plugins"), "[].\n");
  // Started here, because the one that Erlang would start goes on when Erlang ends.
  const portMapper = spawn("epmd", ["-port", String(mapper), "-address", "127.0.0.1"], { stdio: "ignore" });
  const server = spawn(SERVER, [], {
    cwd: directory,
    env: {
      ...{ PATH: process.env["PATH"], HOME: directory, RABBITMQ_LOGS: "-", RABBITMQ_BASE: directory },
      ...{ RABBITMQ_MNESIA_BASE: join(directory, "data"), RABBITMQ_LOG_BASE: join(directory, "log") },
      RABBITMQ_NODENAME: `jurat-spec-${port}@localhost`,
      RABBITMQ_CONFIG_FILE: join(directory, "rabbitmq"),
      RABBITMQ_ENABLED_PLUGINS_FILE: join(directory, "plugins"),
      ...{ RABBITMQ_DIST_PORT: String(distribution), ERL_EPMD_PORT: String(mapper) },
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let said = "";
  await new Promise<void>((resolve, reject) => {
    const onData = (part: Buffer): void => {
      said += String(part);
      if (/Server startup complete/.test(said)) resolve();
    };
    server.stdout.on("data", onData);
    server.stderr.on("data", onData);
    server.once("exit", (code) => {
      portMapper.kill();
      reject(new Error(`the broker ended with ${code}: ${said.slice(-2000)}`));
    });
  });
  return { url: `amqp://127.0.0.1:${port}`, processes: [server, portMapper] };
}

async function stopBroker({ processes }: Broker): Promise<void> {
  for (const child of processes) {
    const ended = new Promise((resolve) => child.once("exit", resolve));
    child.kill("SIGTERM");
    await ended;
  }
}

describe("the bridge to RabbitMQ", function () {
  this.timeout(120_000);

  it("carries every record, goes on where it was stopped, and tells of what was taken back", async function () {
    if (!existsSync(SERVER)) {
      console.error("      pending: rabbitmq-server (Debian package) is not installed");
      return this.skip();
    }
    await withScratchDirectory(async (directory) => {
      const broker = await startBroker(directory);
      let client: ChannelModel | undefined;
      try {
        client = await connect(broker.url);
        await withServer(async ({ live, url }) => {
          const cursor = join(directory, "cursor");
          const options = { stream: `${url}/stream?include=logs`, amqp: broker.url, cursor };
          const messages = await subscribe(client!);
          const runWhile = async (body: () => Promise<void>) => {
            const stop = new AbortController();
            const running = bridge({ ...options, signal: stop.signal });
            await body();
            stop.abort();
            await running;
          };

          const [first, second] = [await live.mine(), await live.mine()];
          await runWhile(async () => {
            deepEqual(await messages(4), ["block 0", "finalized 0", "block 1", "block 2"]);
          });
          await kept(cursor, `2:${second.hash}`);
          // While the bridge is down, block 2 is replaced by two others.
          const rivals: Block[] = [];
          for (let parent = first; rivals.length < 2; parent = rivals.at(-1)!) {
            rivals.push(await live.build(parent, { timestamp: parent.header.timestamp + 5 }));
          }
          live.setHead(rivals[1]!, first);
          await runWhile(async () => {
            deepEqual(await messages(4), ["rollback 1", "finalized 1", "block 2", "block 3"]);
          });
          equal(readFileSync(cursor, "utf8"), `3:${rivals[1]!.hash}`);
        });
      } finally {
        await client?.close();
        await stopBroker(broker);
      }
    });
  });
});

/** The cursor is kept right after the broker's word, which the consumer may outrun. */
async function kept(path: string, cursor: string): Promise<void> {
  while (readFileSync(path, "utf8") !== cursor) await new Promise((resolve) => setImmediate(resolve));
}

/** Takes so many messages from a queue bound to everything the bridge sends. */
async function subscribe(client: ChannelModel): Promise<(count: number) => Promise<readonly string[]>> {
  const channel = await client.createChannel();
  await channel.assertExchange("jurat", "topic", { durable: true });
  const { queue } = await channel.assertQueue("", { exclusive: true });
  await channel.bindQueue(queue, "jurat", "#");
  const texts: string[] = [];
  let wake: (() => void) | undefined;
  await channel.consume(queue, (message) => {
    const record = JSON.parse(String(message?.content)) as {
      readonly type: string;
      readonly cursor: string;
      readonly number?: string;
      readonly block?: { readonly number: string };
    };
    equal(message?.properties.messageId, record.cursor);
    equal(message?.fields.routingKey, record.type);
    texts.push(`${record.type} ${Number(record.block?.number ?? record.number)}`);
    wake?.();
  });
  return async (count) => {
    while (texts.length < count) await new Promise<void>((resolve) => (wake = resolve));
    return texts.splice(0, count);
  };
}
