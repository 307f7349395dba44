/** Balance and nonce of an account: proven as of the newest final block, and the newest by the node's word. */
import { fetchAccount } from "../../light/verified/proven-account.ts";
import { Waiting } from "../card.tsx";
import { formatCount, formatJur, toNumber } from "../display.ts";
import { newestHead } from "../live/live-state.ts";
import { useLoaded } from "../load.ts";
import { ask } from "../node/json-rpc.ts";
import type { Hex } from "../node/objects.ts";
import { Mark } from "../proof/mark.tsx";
import { useProven } from "../proof/use-proven.ts";

type Facts = { readonly balance: bigint; readonly nonce: number };

export function AccountFacts({ address }: { readonly address: Hex }) {
  const newest = useLoaded(`${address} ${newestHead.value?.hash ?? ""}`, () => report(address, "latest"));
  const proven = useProven<Facts>(address, {
    async prove({ ask: askNode }, final) {
      const { account } = await fetchAccount(askNode, final, address.toLowerCase() as Hex, []);
      return { balance: account?.balance ?? 0n, nonce: Number(account?.nonce ?? 0n) };
    },
    report: (final) => report(address, final === undefined ? "latest" : { blockHash: final.hash }),
    isEqual,
  });
  return (
    <Waiting on={proven}>
      {({ value, mark, why }) => (
        <dl class="facts">
          <FactRows facts={value} />
          <dt>checked</dt>
          <dd>
            <Mark state={mark} why={why} /> <span class="quiet">{why}</span>
          </dd>
          {newest.state === "ready" && !isEqual(newest.value, value) && (
            <>
              <dt>newest</dt>
              <dd>
                {formatJur(newest.value.balance)}, nonce {formatCount(newest.value.nonce)}{" "}
                <Mark state="reported" />
              </dd>
            </>
          )}
        </dl>
      )}
    </Waiting>
  );
}

function FactRows({ facts: { balance, nonce } }: { readonly facts: Facts }) {
  return (
    <>
      <dt>balance</dt>
      <dd title={`${balance} wei`} data-fact="balance">
        {formatJur(balance)}
      </dd>
      <dt>nonce</dt>
      <dd data-fact="nonce">{formatCount(nonce)}</dd>
    </>
  );
}

async function report(address: Hex, block: string | { readonly blockHash: Hex }): Promise<Facts> {
  const [balance, nonce] = await Promise.all([
    ask<Hex>("eth_getBalance", address, block),
    ask<Hex>("eth_getTransactionCount", address, block),
  ]);
  return { balance: BigInt(balance), nonce: toNumber(nonce) };
}

function isEqual(a: Facts, b: Facts): boolean {
  return a.balance === b.balance && a.nonce === b.nonce;
}
