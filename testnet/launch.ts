/** The flags of each node of a testnet. See specs/testnet/testnet.md. */
import { join } from "node:path";
import { deriveDevAccounts } from "../primitives/dev-accounts.ts";
import type { NodeLaunch } from "./node-process.ts";
import type { TestnetOptions } from "./options.ts";
import { portsOf } from "./ports.ts";

export type LaunchOptions = Pick<
  TestnetOptions,
  "dir" | "nodes" | "validatorsPerNode" | "basePort" | "explorer"
>;

/** Node `number` (from 1): its ports and keys, and every other node as a bootstrap peer. */
export function launchOf(options: LaunchOptions, specPath: string, number: number): NodeLaunch {
  const ports = portsOf(options.basePort, number);
  const dir = join(options.dir, `node-${number}`);
  const firstKey = (number - 1) * options.validatorsPerNode;
  const others = Array.from({ length: options.nodes }, (_, index) => index + 1)
    .filter((other) => other !== number)
    .map((other) => `/ip4/127.0.0.1/tcp/${portsOf(options.basePort, other).p2p}`);
  const feeRecipient = deriveDevAccounts()[(number - 1) % 10]?.address ?? "";
  const args = [
    ["--dir", dir],
    ["--chain-spec", specPath],
    ["--interop-keys", `${firstKey}-${firstKey + options.validatorsPerNode - 1}`],
    ["--fee-recipient", feeRecipient],
    ...(options.explorer ? [["--explorer", "--address-index"]] : []),
    ["--rpc-port", String(ports.rpc)],
    ["--p2p-port", String(ports.p2p)],
    ["--metrics-port", String(ports.metrics)],
    ["--beacon-port", String(ports.beacon)],
    ...(others.length === 0 ? [["--single-node"]] : [["--bootstrap", ...others]]),
  ].flat();
  return { number, dir, rpcPort: ports.rpc, args };
}
