import { deepEqual, equal, ok } from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { readSystemAllocation } from "../../contracts/build/system-image.ts";
import { parseInterchange } from "../../node/validator/interchange.ts";
import { prepareNetwork } from "../../testnet/network-files.ts";
import { nodeStatus } from "../../testnet/node-status.ts";
import { parseTestnetOptions } from "../../testnet/options.ts";
import { startNodeProgram } from "../support/ready-program.ts";
import { withScratchDirectory } from "../support/scratch-directory.ts";
import { untilTrue } from "../support/until-true.ts";
import { askKeymanager, keystoreOf, PASSWORD, publicKeyOf } from "./keymanager-fixture.ts";

const KEYSTORES = "/eth/v1/keystores";
const INDICES = [0, 1, 2, 3];

async function launch(dir: string, spec: string) {
  const node = await startNodeProgram(join(dir, "node"), spec, ["--single-node", "--keymanager"]);
  const { rpc = "", beacon = "", keymanager = "" } = node.endpoints;
  const token = readFileSync(join(dir, "node", "keymanager-token"), "utf8").trim();
  return {
    ...{ rpc, beacon, end: node.end },
    ask: (method: string, path: string, body?: unknown) =>
      askKeymanager(Number(new URL(keymanager).port), token, method, path, body),
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
      const lastSigned = Math.max(...histories.map(({ block }) => block?.slot ?? 0));
      // Three slots later nothing was added to what the history tells of: nobody is left who could sign.
      const { slot = 0 } = (await nodeStatus(second.rpc)) ?? {};
      await untilTrue(async () => ((await nodeStatus(second.rpc))?.slot ?? 0) >= slot + 3);
      ok((await headSlot(second.rpc)) <= lastSigned);
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
