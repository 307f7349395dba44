#!/usr/bin/env node
/** npm run bench: what the parts do per second on this machine. Medians; machines are noisy, compare in one run. */
import "../node/polyfill.ts";
import { cpus } from "node:os";
import { installNativeBackends } from "../node/native/install.ts";
import { benchJsonRpc } from "./json-rpc.ts";
import { benchToken } from "./token.ts";
import { executeTransfers } from "./transfers.ts";
import { rootChangedAccounts, rootNewAccounts } from "./trie.ts";

const rows: [string, string][] = [];
const perSecond = (name: string, value: number) =>
  rows.push([name, `${Math.round(value).toLocaleString("en")} /s`]);
const note = (name: string, text: string) => rows.push([name, text]);

await installNativeBackends();
console.log(`Node ${process.version}, ${cpus().length} × ${cpus()[0]?.model}\n`);

perSecond("trie: new accounts rooted", rootNewAccounts());
perSecond("trie: changed accounts rooted", rootChangedAccounts());
const transfers = executeTransfers();
perSecond("block of native transfers, state root included", transfers);

const token = await benchToken();
perSecond("token transfer: calls from the snapshot", token.callsPerSecond);
perSecond("block of token transfers, state root included", token.blockTransfersPerSecond);
note(
  "  a token transfer costs",
  `${(transfers / token.blockTransfersPerSecond).toFixed(1)} native transfers`,
);
note("  gas of a token transfer, new holder", `${token.gasNewHolder} (Solidity about 51 000)`);
note("  gas of a token transfer, known holder", `${token.gasKnownHolder} (Solidity about 35 000)`);

const rpc = await benchJsonRpc();
perSecond("JSON-RPC eth_chainId (the cost of a request)", rpc.chainIdPerSecond);
perSecond("JSON-RPC eth_getBalance", rpc.balancePerSecond);
perSecond("JSON-RPC eth_call balanceOf of the token", rpc.callPerSecond);
note("  an eth_call costs", `${(rpc.balancePerSecond / rpc.callPerSecond).toFixed(1)} eth_getBalance`);
perSecond("JSON-RPC eth_sendRawTransaction accepted", rpc.acceptedPerSecond);
perSecond("  … and included in blocks of one second", rpc.includedPerSecond);

const width = Math.max(...rows.map(([name]) => name.length));
for (const [name, value] of rows) console.log(`${name.padEnd(width)}  ${value.padStart(14)}`);
