/** What a person sees before a transaction is signed. */
import { createAddress, toChecksumAddress } from "../primitives/address.ts";
import { decodeResult } from "./contract-call.ts";
import { formatJur, formatValue, note, paint } from "./output.ts";
import type { Intent, Prepared } from "./transaction.ts";

export function showPreview(intent: Intent, prepared: Prepared, fromName: string): void {
  const { transaction, from, balance, expectedGasPrice } = prepared;
  const { to, value, gas, maxFeePerGas, nonce, chainId } = transaction;
  const highest = gas * maxFeePerGas;
  row("from", named(from, fromName));
  if (to !== undefined) row("to", toChecksumAddress(to));
  row("action", intent.title);
  for (const [label, text] of intent.details ?? []) row(label, text);
  if (to === undefined) row("address", toChecksumAddress(createAddress(from, BigInt(nonce))));
  row("value", formatJur(value));
  row("fee", `about ${formatJur(gas * expectedGasPrice)}, at most ${formatJur(highest)} (${gas} gas)`);
  row("balance", `${formatJur(balance)}, then at least ${formatJur(balance - value - highest)}`);
  row("nonce", `${nonce} on chain ${chainId}`);
  row("outcome", `${paint("green", "succeeds")} on the latest block${describeOutput(intent, prepared)}`);
}

function row(label: string, text: string): void {
  note(`  ${paint("dim", label.padEnd(9))} ${text}`);
}

function named(address: Prepared["from"], name: string): string {
  const text = toChecksumAddress(address);
  return name.toLowerCase() === address ? text : `${text} (${name})`;
}

function describeOutput({ to, item }: Intent, { output }: Prepared): string {
  // A creation returns the contract's code, which says nothing to a reader.
  if (to === undefined || output === "0x") return "";
  if (item === undefined || item.outputs.length === 0) return `, returns ${output}`;
  return `, returns ${decodeResult(item, output).map(formatValue).join(", ")}`;
}
