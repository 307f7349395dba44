/** A token: what it is called, how much of it there is, and its newest transfers. */
import { type Abi, decodeFunctionResult, encodeFunctionData } from "viem";
import { Card, Waiting } from "../card.tsx";
import { decodeLog } from "../contract/decode.ts";
import type { KnownContract } from "../contract/known-contracts.ts";
import { formatUnits } from "../display.ts";
import { newestHead } from "../live/live-state.ts";
import { useLoaded } from "../load.ts";
import { ask } from "../node/json-rpc.ts";
import type { Hex, LogJson } from "../node/objects.ts";
import { AddressLink, TransactionLink } from "./links.tsx";

export type TokenStandard = "ERC-20" | "ERC-721" | "ERC-1155";

/** Functions only that standard has. */
const MARKS: readonly (readonly [TokenStandard, readonly string[]])[] = [
  ["ERC-1155", ["balanceOfBatch", "safeBatchTransferFrom"]],
  ["ERC-721", ["ownerOf", "getApproved"]],
  ["ERC-20", ["transfer", "allowance", "totalSupply"]],
];

/** Blocks in which transfers are looked for, and transfers shown. */
const BLOCKS_SEARCHED = 10_000n;
const TRANSFERS_SHOWN = 25;

/** The standard a contract's functions say it follows. */
export function tokenStandard({ abi }: KnownContract): TokenStandard | undefined {
  const names = new Set(abi.flatMap((item) => (item.type === "function" ? [item.name] : [])));
  return MARKS.find(([, marks]) => marks.every((mark) => names.has(mark)))?.[0];
}

type TokenProps = { readonly contract: KnownContract; readonly standard: TokenStandard };

export function TokenView({ contract, standard }: TokenProps) {
  const loaded = useLoaded(`${contract.address} ${newestHead.value?.hash ?? ""}`, () => fetchToken(contract));
  return (
    <>
      <Waiting on={loaded}>
        {({ facts, decimals }) => (
          <dl class="facts">
            <dt>standard</dt>
            <dd>{standard}</dd>
            {facts.map(([name, value]) => (
              <div key={name} style="display: contents">
                <dt>{name}</dt>
                <dd data-token={name}>
                  {name === "totalSupply" ? formatUnits(BigInt(String(value)), decimals) : String(value)}
                </dd>
              </div>
            ))}
          </dl>
        )}
      </Waiting>
      <Transfers contract={contract} />
    </>
  );
}

/** What the contract answers of the standards' optional views. */
async function fetchToken({ address, abi }: KnownContract) {
  const asked = ["name", "symbol", "decimals", "totalSupply"].filter((name) =>
    abi.some((item) => item.type === "function" && item.name === name && item.inputs.length === 0),
  );
  const values = await Promise.all(
    asked.map((name) => readView(address, abi, name).catch(() => "no answer")),
  );
  const facts = asked.map((name, index) => [name, values[index]] as const);
  const decimals = Number(facts.find(([name]) => name === "decimals")?.[1] ?? 0);
  return { facts, decimals: Number.isInteger(decimals) ? decimals : 0 };
}

async function readView(to: Hex, abi: Abi, functionName: string): Promise<unknown> {
  const data = encodeFunctionData({ abi, functionName });
  return decodeFunctionResult({
    abi,
    functionName,
    data: await ask<Hex>("eth_call", { to, data }, "latest"),
  });
}

function Transfers({ contract }: { readonly contract: KnownContract }) {
  const loaded = useLoaded(`${contract.address} ${newestHead.value?.hash ?? ""}`, () =>
    fetchTransfers(contract),
  );
  return (
    <Card title="Newest transfers">
      <Waiting on={loaded}>
        {(logs) => (
          <div class="scroll">
            <table>
              <tbody>
                {logs.map((log) => (
                  <TransferRow key={`${log.transactionHash} ${log.logIndex}`} log={log} abi={contract.abi} />
                ))}
              </tbody>
            </table>
          </div>
        )}
      </Waiting>
    </Card>
  );
}

async function fetchTransfers({ address, abi }: KnownContract): Promise<readonly LogJson[]> {
  const newest = BigInt(await ask<Hex>("eth_blockNumber"));
  const first = newest > BLOCKS_SEARCHED ? newest - BLOCKS_SEARCHED + 1n : 0n;
  const filter = { address, fromBlock: `0x${first.toString(16)}`, toBlock: "latest" };
  const logs = await ask<readonly LogJson[]>("eth_getLogs", filter);
  return logs
    .filter((log) => decodeLog(abi, log)?.name.startsWith("Transfer"))
    .slice(-TRANSFERS_SHOWN)
    .reverse();
}

function TransferRow({ log, abi }: { readonly log: LogJson; readonly abi: Abi }) {
  const values = decodeLog(abi, log)?.values ?? [];
  return (
    <tr>
      <td>
        <TransactionLink to={log.transactionHash} isShort />
      </td>
      {values.map(({ name, type, value }) => (
        <td key={name} class="mono">
          <span class="quiet">{name} </span>
          {type === "address" ? <AddressLink to={value as Hex} isShort /> : value}
        </td>
      ))}
    </tr>
  );
}
