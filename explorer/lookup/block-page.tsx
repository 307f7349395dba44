/** A block: its header and its transactions. */
import { Card, Waiting } from "../card.tsx";
import { formatCount, formatJur, formatTime, formatUnits, gweiToWei, toNumber } from "../display.ts";
import { useLoaded } from "../load.ts";
import { ask } from "../node/json-rpc.ts";
import type { BlockJson } from "../node/objects.ts";
import { BlockMark } from "../proof/proven-mark.tsx";
import { linkTo } from "../route.ts";
import { Finality } from "./finality.tsx";
import { AddressLink } from "./links.tsx";
import { TransactionsTable } from "./transactions-table.tsx";

/** `name` is a number or a hash. */
export function BlockPage({ name }: { readonly name: string }) {
  const loaded = useLoaded(name, () => fetchBlock(name));
  return (
    <Waiting on={loaded}>
      {(block) =>
        block === null ? (
          <Card>
            <p>The node has no block {name}. It may have been pruned, or not been made yet.</p>
          </Card>
        ) : (
          <BlockView block={block} />
        )
      }
    </Waiting>
  );
}

function fetchBlock(name: string): Promise<BlockJson | null> {
  if (name.startsWith("0x") && name.length === 66) return ask("eth_getBlockByHash", name, true);
  const number = /^\d{1,15}$/.test(name) ? `0x${Number(name).toString(16)}` : name;
  return ask("eth_getBlockByNumber", number, true);
}

function BlockView({ block }: { readonly block: BlockJson }) {
  const number = toNumber(block.number);
  return (
    <>
      <Card>
        <h1>
          Block {formatCount(number)} <Finality number={block.number} hash={block.hash} />{" "}
          <BlockMark block={block} />
        </h1>
        <p>
          {number > 0 && <a href={linkTo("block", number - 1)}>← {formatCount(number - 1)}</a>}{" "}
          <a href={linkTo("block", number + 1)}>{formatCount(number + 1)} →</a>
        </p>
        <Facts block={block} />
      </Card>
      <Card title={`Transactions (${block.transactions.length})`}>
        <TransactionsTable transactions={block.transactions} />
      </Card>
      {block.withdrawals.length > 0 && (
        <Card title={`Withdrawals (${block.withdrawals.length})`}>
          <Withdrawals block={block} />
        </Card>
      )}
    </>
  );
}

function Facts({ block }: { readonly block: BlockJson }) {
  const used = (toNumber(block.gasUsed) * 100) / toNumber(block.gasLimit);
  return (
    <dl class="facts">
      <dt>hash</dt>
      <dd class="mono">{block.hash}</dd>
      <dt>parent</dt>
      <dd>
        <a class="mono" href={linkTo("block", block.parentHash)}>
          {block.parentHash}
        </a>
      </dd>
      <dt>time</dt>
      <dd>{formatTime(toNumber(block.timestamp))}</dd>
      <dt>fee recipient</dt>
      <dd>
        <AddressLink to={block.miner} />
      </dd>
      <dt>gas</dt>
      <dd>
        {formatCount(toNumber(block.gasUsed))} of {formatCount(toNumber(block.gasLimit))} ({used.toFixed(1)}{" "}
        %)
      </dd>
      <dt>base fee</dt>
      <dd>{formatUnits(BigInt(block.baseFeePerGas), 9)} Gwei, burned</dd>
      <dt>state root</dt>
      <dd class="mono">{block.stateRoot}</dd>
      <dt>transactions root</dt>
      <dd class="mono">{block.transactionsRoot}</dd>
      <dt>receipts root</dt>
      <dd class="mono">{block.receiptsRoot}</dd>
      <dt>randomness</dt>
      <dd class="mono">{block.mixHash}</dd>
      <dt>size</dt>
      <dd>{formatCount(toNumber(block.size))} bytes</dd>
    </dl>
  );
}

function Withdrawals({ block }: { readonly block: BlockJson }) {
  return (
    <div class="scroll">
      <table>
        <thead>
          <tr>
            <th scope="col">validator</th>
            <th scope="col">to</th>
            <th scope="col" class="number">
              amount
            </th>
          </tr>
        </thead>
        <tbody>
          {block.withdrawals.map(({ index, validatorIndex, address, amount }) => (
            <tr key={index}>
              <td>{toNumber(validatorIndex)}</td>
              <td>
                <AddressLink to={address} />
              </td>
              <td class="number">{formatJur(gweiToWei(BigInt(amount)))}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
