import { deepEqual, equal, match, ok } from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readSystemAllocation } from "../../contracts/build/system-image.ts";
import { prepareNetwork } from "../../testnet/network-files.ts";
import { nodeStatus } from "../../testnet/node-status.ts";
import { parseTestnetOptions } from "../../testnet/options.ts";
import { type ReadyProgram, startNodeProgram, startProgram } from "../support/ready-program.ts";
import { untilTrue } from "../support/until-true.ts";
import { keystoreOf, PASSWORD } from "./keymanager-fixture.ts";

const INDICES = [0, 1, 2, 3];

describe("validators in several processes", function () {
  this.timeout(300_000);
  let dir: string;
  let specPath: string;
  let signer: ReadyProgram;
  /** Its keys are at the signer. */
  let node: ReadyProgram;

  const startSigner = (port: string) =>
    startProgram([
      ...["signer", "--dir", join(dir, "signer"), "--chain-spec", specPath, "--port", port],
      ...["--keystores", join(dir, "keystores"), "--password-file", join(dir, "password")],
    ]);
  const status = () => nodeStatus(node.endpoints["rpc"] ?? "");
  const untilFinal = (epoch: number) =>
    untilTrue(async () => ((await status())?.finalizedEpoch ?? 0) >= epoch);
  const slashed = async () => {
    const answer = await fetch(`${node.endpoints["beacon"]}/eth/v1/beacon/states/head/validators`);
    const { data } = (await answer.json()) as { data: { index: string; validator: { slashed: boolean } }[] };
    return data.filter(({ validator }) => validator.slashed).map(({ index }) => index);
  };

  before(async () => {
    dir = mkdtempSync(join(tmpdir(), "jurat-validators-"));
    const options = parseTestnetOptions([
      ...["--dir", join(dir, "net"), "--nodes", "1", "--validators-per-node", "4"],
    ]);
    ({ specPath } = prepareNetwork(options, Math.floor(Date.now() / 1000), readSystemAllocation()));
    mkdirSync(join(dir, "keystores"));
    for (const index of INDICES)
      writeFileSync(join(dir, "keystores", `${index}.json`), keystoreOf(index), { mode: 0o600 });
    writeFileSync(join(dir, "password"), `${PASSWORD}\n`, { mode: 0o600 });
    signer = await startSigner("0");
    const flags = ["--single-node", "--remote-signer", signer.endpoints["signer"] ?? ""];
    node = await startNodeProgram(join(dir, "node"), specPath, flags);
  });
  after(async () => {
    await Promise.all([node?.end("SIGTERM"), signer?.end("SIGTERM")]);
    rmSync(dir, { recursive: true, force: true });
  });

  it("propose, vote and finalize with keys that only a signer has", async () => {
    await untilFinal(1);
    equal((await status())?.localValidators, INDICES.length);
  });

  it("do not start a second time with --doppelganger: it hears the first, says so and signs nothing", async () => {
    const twin = await startNodeProgram(join(dir, "twin"), specPath, [
      ...["--interop-keys", "0-3", "--doppelganger", "--bootstrap"],
      ...node.peerAddresses,
    ]);
    equal(await twin.ended, 6);
    match(twin.errors(), /validator [0-3] signs somewhere else \(slot \d+\): stop the other process/);
    const { finalizedEpoch = 0 } = (await status()) ?? {};
    await untilFinal(finalizedEpoch + 1);
    deepEqual(await slashed(), []);
  });

  it("miss their duties while the signer is gone, and go on with it, unslashed", async () => {
    await signer.end("SIGKILL");
    const atKill = (await status())?.slot ?? 0;
    await untilTrue(async () => ((await status())?.slot ?? 0) >= atKill + 3);
    const without = await status();
    ok((without?.headSlot ?? 0) <= atKill + 1, "no block without a signature");
    match(node.errors(), /the remote signer did not sign.*UNREACHABLE/);
    signer = await startSigner(new URL(signer.endpoints["signer"] ?? "").port);
    await untilFinal((without?.finalizedEpoch ?? 0) + 2);
    deepEqual(await slashed(), []);
    deepEqual([await node.end("SIGTERM"), await signer.end("SIGTERM")], [0, 0]);
  });
});
