/** An example: carries the stream to RabbitMQ, at least once. See specs/rpc/stream.md#bridges. */
import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { Readable } from "node:stream";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { connect } from "amqplib";

export type BridgeOptions = {
  /** `http://127.0.0.1:8545/stream`, with `include` as wanted. */
  readonly stream: string;
  readonly amqp: string;
  /** File that holds the cursor of the last record the broker has. */
  readonly cursor: string;
  readonly signal?: AbortSignal | undefined;
};

/** Runs until the stream or the broker ends, or the signal comes; start it again, and it goes on where it was. */
export async function bridge({ stream, amqp, cursor, signal = new AbortController().signal }: BridgeOptions) {
  const connection = await connect(amqp);
  try {
    const channel = await connection.createConfirmChannel();
    await channel.assertExchange("jurat", "topic", { durable: true });
    const url = new URL(stream);
    url.searchParams.set("from", existsSync(cursor) ? readFileSync(cursor, "utf8") : "earliest");
    const response = await fetch(url, { signal });
    if (!response.ok || response.body === null) throw new Error(`${url}: ${await response.text()}`);
    // Reading on only after the broker's word makes the node wait for the broker.
    for await (const line of createInterface({ input: Readable.fromWeb(response.body) })) {
      if (line === "") continue;
      const record = JSON.parse(line) as { readonly type: string; readonly cursor: string };
      const properties = { persistent: true, contentType: "application/json", messageId: record.cursor };
      channel.publish("jurat", record.type, Buffer.from(line), properties);
      await channel.waitForConfirms();
      keep(cursor, record.cursor);
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    await connection.close().catch(() => undefined);
  }
}

/** The old cursor or the new one, never half of it. */
function keep(path: string, text: string): void {
  writeFileSync(`${path}.new`, text);
  renameSync(`${path}.new`, path);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const text = { type: "string" } as const;
  const { values } = parseArgs({ options: { stream: text, amqp: text, cursor: text } });
  const {
    stream = "http://127.0.0.1:8545/stream",
    amqp = "amqp://127.0.0.1",
    cursor = "./jurat-stream-cursor",
  } = values;
  const stop = new AbortController();
  for (const name of ["SIGINT", "SIGTERM"] as const) process.once(name, () => stop.abort());
  await bridge({ stream, amqp, cursor, signal: stop.signal }).catch((error: Error) => {
    process.stderr.write(`bridge: ${error.message}\n`);
    process.exitCode = 1;
  });
}
