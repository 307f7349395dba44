/** Links to what can be looked up. */
import { formatCount, shorten, toNumber } from "../display.ts";
import type { Hex } from "../node/objects.ts";
import { linkTo } from "../route.ts";

type LinkProps = { readonly to: Hex; readonly isShort?: boolean };

export function AddressLink({ to, isShort = false }: LinkProps) {
  return (
    <a class="mono" href={linkTo("address", to)} title={to}>
      {isShort ? shorten(to) : to}
    </a>
  );
}

export function TransactionLink({ to, isShort = false }: LinkProps) {
  return (
    <a class="mono" href={linkTo("tx", to)} title={to}>
      {isShort ? shorten(to) : to}
    </a>
  );
}

export function BlockLink({ number }: { readonly number: Hex }) {
  return <a href={linkTo("block", toNumber(number))}>{formatCount(toNumber(number))}</a>;
}
