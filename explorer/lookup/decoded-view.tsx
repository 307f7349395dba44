/** A call, event or error with its named values. */
import type { Decoded } from "../contract/decode.ts";
import { linkTo } from "../route.ts";

export function DecodedView({ decoded }: { readonly decoded: Decoded }) {
  return (
    <>
      <code>{decoded.name}</code>
      <dl class="facts">
        {decoded.values.map(({ name, type, value }) => (
          <div key={name} style="display: contents">
            <dt>
              {name} <span class="quiet mono">{type}</span>
            </dt>
            <dd class="mono">
              {type === "address" ? <a href={linkTo("address", value)}>{value}</a> : value}
            </dd>
          </div>
        ))}
      </dl>
    </>
  );
}
