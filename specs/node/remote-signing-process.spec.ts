import { equal, match, ok } from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { readSystemAllocation } from "../../contracts/build/system-image.ts";
import { prepareNetwork } from "../../testnet/network-files.ts";
import { nodeStatus } from "../../testnet/node-status.ts";
import { parseTestnetOptions } from "../../testnet/options.ts";
import { startNodeProgram, startProgram } from "../support/ready-program.ts";
import { withScratchDirectory } from "../support/scratch-directory.ts";
import { untilTrue } from "../support/until-true.ts";
import { keystoreOf, PASSWORD } from "./keymanager-fixture.ts";

const INDICES = [0, 1, 2, 3];

describe("a node whose keys are at a signer in another process", function () {
  this.timeout(300_000);

  it("proposes, votes and finalizes; misses its duties without the signer; and goes on with it, unslashed", async () => {
    await withScratchDirectory(async (dir) => {
      const options = parseTestnetOptions([
        ...["--dir", join(dir, "net"), "--nodes", "1", "--validators-per-node", "4"],
      ]);
      const genesisTime = Math.floor(Date.now() / 1000);
      const { specPath } = prepareNetwork(options, genesisTime, readSystemAllocation());
      mkdirSync(join(dir, "keystores"));
      for (const index of INDICES)
        writeFileSync(join(dir, "keystores", `${index}.json`), keystoreOf(index), { mode: 0o600 });
      writeFileSync(join(dir, "password"), `${PASSWORD}\n`, { mode: 0o600 });
      const startSigner = (port: string) =>
        startProgram([
          ...["signer", "--dir", join(dir, "signer"), "--chain-spec", specPath, "--port", port],
          ...["--keystores", join(dir, "keystores"), "--password-file", join(dir, "password")],
        ]);

      const signer = await startSigner("0");
      const url = signer.endpoints["signer"] ?? "";
      const node = await startNodeProgram(join(dir, "node"), specPath, [
        "--single-node",
        "--remote-signer",
        url,
      ]);
      const status = async () => nodeStatus(node.endpoints["rpc"] ?? "");
      await untilTrue(async () => (await status())?.finalizedEpoch ?? 0);
      equal((await status())?.localValidators, INDICES.length);

      await signer.end("SIGKILL");
      const atKill = (await status())?.slot ?? 0;
      await untilTrue(async () => ((await status())?.slot ?? 0) >= atKill + 4);
      const without = await status();
      ok((without?.headSlot ?? 0) <= atKill + 1, "no block without a signature");
      match(
        node.errors(),
        /the remote signer did not sign.*BLOCK_V2|the remote signer did not sign.*RANDAO_REVEAL/s,
      );
      match(node.errors(), /UNREACHABLE/);

      const again = await startSigner(new URL(url).port);
      const finalized = without?.finalizedEpoch ?? 0;
      await untilTrue(async () => ((await status())?.finalizedEpoch ?? 0) > finalized + 2);
      const beacon = node.endpoints["beacon"] ?? "";
      const answer = await fetch(`${beacon}/eth/v1/beacon/states/head/validators`);
      const { data } = (await answer.json()) as { data: { validator: { slashed: boolean } }[] };
      equal(data.filter(({ validator }) => validator.slashed).length, 0);
      equal(await node.end("SIGTERM"), 0);
      equal(await again.end("SIGTERM"), 0);
    });
  });
});
