/** What a transaction changed: balances, nonces and storage words, before and after. */
import { Card, Waiting } from "../card.tsx";
import { formatJur } from "../display.ts";
import { useLoaded } from "../load.ts";
import { ask } from "../node/json-rpc.ts";
import type { Hex, StateDiffJson } from "../node/objects.ts";
import { AddressLink } from "./links.tsx";

type Change = { readonly what: string; readonly before: string; readonly after: string };

export function StateChanges({ hash }: { readonly hash: Hex }) {
  const loaded = useLoaded(hash, () =>
    ask<StateDiffJson>("debug_traceTransaction", hash, {
      tracer: "prestateTracer",
      tracerConfig: { diffMode: true },
    }),
  );
  return (
    <Card title="State changes">
      <Waiting on={loaded}>
        {(diff) => (
          <div class="scroll">
            <table>
              <thead>
                <tr>
                  <th scope="col">account</th>
                  <th scope="col">what</th>
                  <th scope="col">before</th>
                  <th scope="col">after</th>
                </tr>
              </thead>
              <tbody>
                {addressesOf(diff).flatMap((address) =>
                  changesOf(diff, address).map(({ what, before, after }) => (
                    <tr key={`${address} ${what}`}>
                      <td>
                        <AddressLink to={address} isShort />
                      </td>
                      <td class="mono">{what}</td>
                      <td class="mono">{before}</td>
                      <td class="mono">{after}</td>
                    </tr>
                  )),
                )}
              </tbody>
            </table>
          </div>
        )}
      </Waiting>
    </Card>
  );
}

function addressesOf({ pre, post }: StateDiffJson): Hex[] {
  return [...new Set([...Object.keys(pre), ...Object.keys(post)])] as Hex[];
}

/** In diff mode `post` has only what changed; a word that became zero is missing there. */
function changesOf({ pre, post }: StateDiffJson, address: Hex): Change[] {
  const before = pre[address] ?? {};
  const after = post[address] ?? {};
  const changes: Change[] = [];
  if (after.balance !== undefined) {
    const text = (balance: Hex = "0x0") => formatJur(BigInt(balance));
    changes.push({ what: "balance", before: text(before.balance), after: text(after.balance) });
  }
  if (after.nonce !== undefined) {
    changes.push({ what: "nonce", before: String(before.nonce ?? 0), after: String(after.nonce) });
  }
  if (after.code !== undefined) {
    const size = (code: Hex = "0x") => `${(code.length - 2) / 2} bytes`;
    changes.push({ what: "code", before: size(before.code), after: size(after.code) });
  }
  const slots = new Set([...Object.keys(before.storage ?? {}), ...Object.keys(after.storage ?? {})]);
  for (const slot of slots) {
    const word = (storage: { readonly [slot: string]: Hex } | undefined) => storage?.[slot] ?? "0x0";
    changes.push({ what: `slot ${slot}`, before: word(before.storage), after: word(after.storage) });
  }
  return changes;
}
