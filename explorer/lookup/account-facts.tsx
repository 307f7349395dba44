/** Balance and nonce of an account, as of the newest block. */
import { Waiting } from "../card.tsx";
import { formatCount, formatJur, toNumber } from "../display.ts";
import { newestHead } from "../live/live-state.ts";
import { useLoaded } from "../load.ts";
import { ask } from "../node/json-rpc.ts";
import type { Hex } from "../node/objects.ts";

export function AccountFacts({ address }: { readonly address: Hex }) {
  const loaded = useLoaded(`${address} ${newestHead.value?.hash ?? ""}`, async () => {
    const [balance, nonce] = await Promise.all([
      ask<Hex>("eth_getBalance", address, "latest"),
      ask<Hex>("eth_getTransactionCount", address, "latest"),
    ]);
    return { balance: BigInt(balance), nonce: toNumber(nonce) };
  });
  return (
    <Waiting on={loaded}>
      {({ balance, nonce }) => (
        <dl class="facts">
          <dt>balance</dt>
          <dd title={`${balance} wei`} data-fact="balance">
            {formatJur(balance)}
          </dd>
          <dt>nonce</dt>
          <dd data-fact="nonce">{formatCount(nonce)}</dd>
        </dl>
      )}
    </Waiting>
  );
}
