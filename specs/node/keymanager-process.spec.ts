import { deepEqual, equal, ok } from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { readSystemAllocation } from "../../contracts/build/system-image.ts";
import { parseInterchange } from "../../node/validator/interchange.ts";
import { prepareNetwork } from "../../testnet/network-files.ts";
import { nodeStatus } from "../../testnet/node-status.ts";
import { parseTestnetOptions } from "../../testnet/options.ts";
import { withScratchDirectory } from "../support/scratch-directory.ts";
import { untilTrue } from "../support/until-true.ts";
import { PROJECT_ROOT } from "../support/vectors.ts";
import { askKeymanager, keystoreOf, PASSWORD, publicKeyOf } from "./keymanager-fixture.ts";

const KEYSTORES = "/eth/v1/keystores";
const INDICES = [0, 1, 2, 3];
const FREE_PORTS = ["rpc", "p2p", "metrics", "beacon", "keymanager"].flatMap((name) => [
  `--${name}-port`,
  "0",
]);

type Endpoints = { readonly rpc: string; readonly beacon: string; readonly keymanager: string };

async function launch(dir: string, spec: string) {
  const args = ["--dir", join(dir, "node"), "--chain-spec", spec, "--single-node", ...FREE_PORTS];
  const child: ChildProcess = spawn(
    process.execPath,
    [
      ...[join(PROJECT_ROOT, "dist/node/main.js"), "run", ...args, "--keymanager"],
      ...["--fee-recipient", `0x${"fe".repeat(20)}`],
    ],
    { stdio: ["ignore", "pipe", "ignore", "ipc"] },
  );
  const [line] = (await once(createInterface({ input: child.stdout! }), "line")) as [string];
  const endpoints = JSON.parse(line) as Endpoints;
  const token = readFileSync(join(dir, "node", "keymanager-token"), "utf8").trim();
  return {
    ...endpoints,
    ask: (method: string, path: string, body?: unknown) =>
      askKeymanager(Number(new URL(endpoints.keymanager).port), token, method, path, body),
    async end(signal: NodeJS.Signals) {
      const ended = once(child, "exit");
      child.kill(signal);
      await ended;
    },
  };
}

describe("a running node", function () {
  this.timeout(300_000);

  it("begins to validate with imported keys, has them after kill -9, and stops when they are taken away", async () => {
    await withScratchDirectory(async (dir) => {
      const options = parseTestnetOptions([
        ...["--dir", join(dir, "net"), "--nodes", "1", "--validators-per-node", "4"],
      ]);
      const { specPath } = prepareNetwork(options, Math.floor(Date.now() / 1000), readSystemAllocation());
      const first = await launch(dir, specPath);
      const headSlot = async (url: string) => (await nodeStatus(url))?.headSlot ?? 0;
      equal(await headSlot(first.rpc), 0);
      const { body } = await first.ask("POST", KEYSTORES, {
        keystores: INDICES.map(keystoreOf),
        passwords: INDICES.map(() => PASSWORD),
      });
      deepEqual(
        (body as { data: { status: string }[] }).data.map(({ status }) => status),
        INDICES.map(() => "imported"),
      );
      await first.ask("POST", `/eth/v1/validator/${publicKeyOf(1)}/graffiti`, { graffiti: "of key 1" });
      await untilTrue(async () => (await nodeStatus(first.rpc))?.finalizedEpoch ?? 0);
      const reached = await headSlot(first.rpc);
      await first.end("SIGKILL");

      const second = await launch(dir, specPath);
      await untilTrue(async () => (await headSlot(second.rpc)) > reached + 1);
      const graffiti = await graffitiByProposer(second.beacon, (await headSlot(second.rpc)) - 1);
      for (const [proposer, text] of graffiti) equal(text, proposer === 1 ? "of key 1" : "jurat");

      const pubkeys = INDICES.map(publicKeyOf);
      const answer = (await second.ask("DELETE", KEYSTORES, { pubkeys })).body as {
        readonly data: readonly { readonly status: string }[];
        readonly slashing_protection: string;
      };
      deepEqual(
        answer.data.map(({ status }) => status),
        INDICES.map(() => "deleted"),
      );
      const genesis = await beaconData<{ genesis_validators_root: `0x${string}` }>(second.beacon, "genesis");
      const histories = parseInterchange(answer.slashing_protection, genesis.genesis_validators_root);
      const last = await headSlot(second.rpc);
      const signed = histories.map(({ block }) => block?.slot ?? 0);
      ok(Math.max(...signed) >= last, "every block that was signed is in the history");
      // Three slots later nothing was added: nobody is left who could sign.
      const { slot = 0 } = (await nodeStatus(second.rpc)) ?? {};
      await untilTrue(async () => ((await nodeStatus(second.rpc))?.slot ?? 0) >= slot + 3);
      equal(await headSlot(second.rpc), last);
      await second.end("SIGTERM");
    });
  });
});

async function graffitiByProposer(
  beacon: string,
  upTo: number,
): Promise<readonly (readonly [number, string])[]> {
  type Block = { message: { proposer_index: string; body: { graffiti: string } } };
  const found: (readonly [number, string])[] = [];
  for (let slot = 1; slot <= upTo; slot++) {
    const response = await fetch(`${beacon}/eth/v2/beacon/blocks/${slot}`);
    if (!response.ok) continue;
    const { message } = ((await response.json()) as { data: Block }).data;
    const text = Buffer.from(message.body.graffiti.slice(2), "hex").toString().replace(/\0+$/, "");
    found.push([Number(message.proposer_index), text]);
  }
  ok(found.length > 0);
  return found;
}

async function beaconData<T>(beacon: string, path: string): Promise<T> {
  const response = await fetch(`${beacon}/eth/v1/beacon/${path}`);
  return ((await response.json()) as { data: T }).data;
}
