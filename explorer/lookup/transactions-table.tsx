/** A list of transactions. */
import { formatJur } from "../display.ts";
import type { TransactionJson } from "../node/objects.ts";
import { AddressLink, TransactionLink } from "./links.tsx";

export function TransactionsTable({ transactions }: { readonly transactions: readonly TransactionJson[] }) {
  if (transactions.length === 0) return <p class="quiet">None.</p>;
  return (
    <div class="scroll">
      <table>
        <thead>
          <tr>
            <th scope="col">transaction</th>
            <th scope="col">from</th>
            <th scope="col">to</th>
            <th scope="col">call</th>
            <th scope="col" class="number">
              value
            </th>
          </tr>
        </thead>
        <tbody>
          {transactions.map(({ hash, from, to, input, value }) => (
            <tr key={hash}>
              <td>
                <TransactionLink to={hash} isShort />
              </td>
              <td>
                <AddressLink to={from} isShort />
              </td>
              <td>
                {to === null ? <span class="quiet">new contract</span> : <AddressLink to={to} isShort />}
              </td>
              <td class="mono">{to === null || input === "0x" ? "" : input.slice(0, 10)}</td>
              <td class="number">{formatJur(BigInt(value))}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
