#!/usr/bin/env node
/** npm run bench:node-memory: resident memory of one whole node process on a chain of many validators. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { readSystemAllocation } from "../contracts/build/system-image.ts";
import { installNativeBackends } from "../node/native/install.ts";
import { blsPublicKey } from "../primitives/bls.ts";
import { toHex } from "../primitives/bytes.ts";
import { deriveDevAccounts } from "../primitives/dev-accounts.ts";
import { interopSecretKey } from "../primitives/interop-keys.ts";
import { freeBasePort } from "../specs/support/free-ports.ts";
import { startNode, stopNode } from "../testnet/node-process.ts";
import { nodeStatus } from "../testnet/node-status.ts";

const COIN_GWEI = 10n ** 9n;
/** These keys are the node's own and have the largest stake there is: two thirds of all, so that they finalize alone. */
const OWN_KEYS = 512;
const OWN_STAKE = 2048n * COIN_GWEI;
const STAKE = 32n * COIN_GWEI;

const [validators = 16_384, slots = 48, slotSeconds = 4] = process.argv.slice(2).map(Number);

const [account] = deriveDevAccounts();

/** The public preset's chain, beginning when the node is up. */
function writeSpec(path: string): void {
  const spec = {
    ...{ name: "memory", preset: "public", chainId: 8790, slotSeconds },
    genesisTime: Math.ceil(Date.now() / 1000) + 30,
    alloc: readSystemAllocation(),
    validators: Array.from({ length: validators }, (_, index) => ({
      publicKey: toHex(blsPublicKey(interopSecretKey(index))),
      withdrawalAddress: account?.address,
      amountGwei: String(index < OWN_KEYS ? OWN_STAKE : STAKE),
    })),
  };
  writeFileSync(path, JSON.stringify(spec));
}

function megabytes(pid: number | undefined, name: "VmRSS" | "VmHWM"): number {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  return Math.round(Number(new RegExp(`${name}:\\s+(\\d+) kB`).exec(status)?.[1]) / 1000);
}

await installNativeBackends();
const dir = mkdtempSync(join(tmpdir(), "jurat-memory-"));
const specPath = join(dir, "chain-spec.json");
writeSpec(specPath);
const port = await freeBasePort(1);
const node = startNode({
  ...{ number: 1, dir: join(dir, "node"), rpcPort: port },
  args: [
    ...["--dir", join(dir, "node"), "--chain-spec", specPath, "--single-node"],
    ...["--interop-keys", `0-${OWN_KEYS - 1}`, "--rpc-port", String(port)],
    ...["--fee-recipient", String(account?.address)],
    ...["--p2p-port", String(port + 1000), "--metrics-port", String(port + 2000)],
    ...["--beacon-port", String(port + 3000)],
  ],
});
try {
  await node.ready;
  console.log(`${validators} validators, ${OWN_KEYS} of them its own; ready`);
  for (let slot = -1; slot < slots; ) {
    await pause(slotSeconds * 500);
    const status = await nodeStatus(node.url);
    if (status === undefined || status.slot < slot + 8) continue;
    slot = status.slot;
    const { pid } = node.process;
    console.log(
      `slot ${slot}: head ${status.headSlot}, final epoch ${status.finalizedEpoch}, ` +
        `resident ${megabytes(pid, "VmRSS")} MB, most so far ${megabytes(pid, "VmHWM")} MB`,
    );
  }
} finally {
  await stopNode(node);
  rmSync(dir, { recursive: true, force: true });
}
