/** The fuzzing specs in one size or another: a few inputs in the suite, many in the campaign. */
import { deepEqual } from "node:assert/strict";
import type { GossipTopic } from "../../../node/network/gossip-topics.ts";
import { utf8ToBytes } from "../../../primitives/bytes.ts";
import { METHODS } from "../../../rpc/method-table.ts";
import { tokenIn, withKeymanager } from "../../node/keymanager-fixture.ts";
import { wholeChain, withRest } from "../../node/rest-fixture.ts";
import { withRpc } from "../../rpc/rpc-fixture.ts";
import { withScratchDirectory } from "../../support/scratch-directory.ts";
import { createCheckpointDecoder } from "./checkpoint-target.ts";
import { DECODERS } from "./decoders.ts";
import { createGossipTarget, GOSSIP_SEEDS } from "./gossip-target.ts";
import { BEACON_SEEDS, createHttpTarget, KEYMANAGER_SEEDS } from "./http-target.ts";
import { LIGHT_DECODERS } from "./light-decoders.ts";
import { type FuzzOptions, fuzz } from "./mutations.ts";

const FAILURE_LIMIT_MS = 3_600_000;
const nothingIsExpected = () => false;

/** Parameters of many shapes: what a method gets is seldom what it wants. */
const PARAMS = [
  [],
  ["latest"],
  ["0x0", true],
  [`0x${"11".repeat(20)}`, "latest"],
  [{ to: `0x${"11".repeat(20)}`, data: "0x01", value: "0x1" }, "latest"],
  [`0x${"22".repeat(32)}`],
  [{ fromBlock: "0x0", toBlock: "latest", topics: [null, [`0x${"33".repeat(32)}`]] }],
  ["0x4", "latest", [25, 75]],
];

export function describeFuzzing({ inputs, seed }: FuzzOptions): void {
  const options = { inputs, seed };

  describe(`${inputs} hostile inputs each, seed ${seed}`, function () {
    this.timeout(FAILURE_LIMIT_MS);

    for (const { name, seeds, read, isExpected } of [...DECODERS, ...LIGHT_DECODERS]) {
      it(`to the decoder of ${name}`, () => fuzz(options, seeds, read, isExpected));
    }

    it("to the decoder of checkpoints", async () => {
      const { seeds, read, isExpected } = await createCheckpointDecoder();
      await fuzz(options, seeds, read, isExpected);
    });

    for (const [topic, seeds] of Object.entries(GOSSIP_SEEDS)) {
      it(`as gossip on ${topic}`, () => {
        return fuzz(options, seeds, createGossipTarget(topic as GossipTopic), nothingIsExpected);
      });
    }

    it("to JSON-RPC: each has an answer, and none is our fault", () =>
      withRpc(async ({ raw, faults }) => {
        const requests = METHODS.flatMap(({ name: method }) =>
          PARAMS.map((params) => JSON.stringify({ jsonrpc: "2.0", id: 1, method, params })),
        );
        const seeds = [...requests, `[${requests.slice(0, 3).join(",")}]`].map(utf8ToBytes);
        const answerOf = async (bytes: Uint8Array) => {
          const answer = await raw(Buffer.from(bytes).toString("utf8"));
          if (answer !== undefined) JSON.parse(answer);
        };
        await fuzz(options, seeds, answerOf, nothingIsExpected);
        deepEqual(faults, []);
      }));

    it("to the beacon API", () =>
      withRest(4, async ({ bench, port, grow }) => {
        await grow(wholeChain(bench, 6).slice(1));
        await fuzzHttp(options, BEACON_SEEDS, port);
      }));

    it("to the keymanager API, by somebody who has the token", () =>
      withScratchDirectory((dir) =>
        withKeymanager(dir, ({ port }) =>
          fuzzHttp(options, KEYMANAGER_SEEDS, port, { authorization: `Bearer ${tokenIn(dir)}` }),
        ),
      ));
  });
}

async function fuzzHttp(
  options: FuzzOptions,
  seeds: readonly Uint8Array[],
  port: number,
  headers?: Readonly<Record<string, string>>,
): Promise<void> {
  const target = createHttpTarget(port, headers);
  try {
    await fuzz(options, seeds, target.read, nothingIsExpected);
  } finally {
    target.close();
  }
}
