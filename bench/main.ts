#!/usr/bin/env node
/** npm run bench: what the parts do per second on this machine. Medians; machines are noisy, compare in one run. */
import "../node/polyfill.ts";
import { cpus } from "node:os";
import { installNativeBackends } from "../node/native/install.ts";
import { startSingleNode } from "../specs/support/single-node.ts";
import { callHost, meterBinary, restoreAndCall, startEngine } from "./contract-engine.ts";
import { reportJsonRpc } from "./json-rpc-report.ts";
import { benchLibraryGas } from "./library-gas.ts";
import { benchToken } from "./token.ts";
import { executeTransfers } from "./transfers.ts";
import { rootChangedAccounts, rootNewAccounts } from "./trie.ts";
import { benchWallet } from "./wallet.ts";

const NAME_WIDTH = 52;
const line = (name: string, ...cells: string[]) =>
  console.log(`${name.padEnd(NAME_WIDTH)}${cells.map((cell) => cell.padStart(14)).join("")}`);
const rate = (perSecond: number) => `${Math.round(perSecond).toLocaleString("en")} /s`;
const micros = (seconds: number) => `${(seconds * 1e6).toFixed(1)} µs`;
const millis = (seconds: number) => `${(seconds * 1e3).toFixed(0)} ms`;

await installNativeBackends();
console.log(`Node ${process.version}, ${cpus().length} × ${cpus()[0]?.model}\n`);

line("state root: new accounts", rate(rootNewAccounts()));
line("state root: changed accounts", rate(rootChangedAccounts()));
const transfers = executeTransfers();
line("block of native transfers, root included", rate(transfers));

line("\nengine: rewrite the binary (once per build)", millis(meterBinary()));
line("engine: boot without its boot image", millis(startEngine()));
const { restore, call } = restoreAndCall();
line("engine: restore a snapshot", micros(restore));
line("engine: restore and call an empty contract", micros(call));
const { empty, text } = callHost();
line("engine: a call of the host", micros(empty));
line("engine: a call with 64 characters each way", micros(text));

const token = await benchToken();
line("\ntoken transfer from the snapshot, one core", rate(token.callsPerSecond));
line("block of token transfers, root included", rate(token.blockTransfersPerSecond));
line("  one costs as much as native transfers", (transfers / token.blockTransfersPerSecond).toFixed(1));
line("  gas, new holder (Solidity about 51 000)", String(token.gasNewHolder));
line("  gas, known holder (Solidity about 35 000)", String(token.gasKnownHolder));

line("\nlibrary, gas of a transaction");
for (const [title, gas] of await benchLibraryGas()) line(`  ${title}`, String(gas));

await reportJsonRpc(line);

const node = await startSingleNode();
const wallet = benchWallet(node.url);
await node.stop();
line("\nwallet, from start to answer", "jurat-wallet", "cast", "ratio");
for (const { name, oursMs, theirsMs } of wallet) {
  const beside = theirsMs === undefined ? [] : [millis(theirsMs / 1e3), (oursMs / theirsMs).toFixed(1)];
  line(`  ${name}`, millis(oursMs / 1e3), ...beside);
}
