/** What a person sees before a transaction is signed. */
import { createAddress, toChecksumAddress } from "../primitives/address.ts";
import type { Address } from "../primitives/bytes.ts";
import { decodeResult } from "./contract-call.ts";
import { formatJur, formatValue, note, paint } from "./output.ts";
import type { Intent, Prepared } from "./transaction.ts";

/** What is known before a node is asked: a person sees it also when the simulation fails. */
export function showIntent(intent: Intent, from: Address, fromName: string): void {
  row("from", named(from, fromName));
  if (intent.to !== undefined) row("to", toChecksumAddress(intent.to));
  row("action", intent.title);
  for (const [label, text] of intent.details ?? []) row(label, text);
  row("value", formatJur(intent.value));
}

/** The rest, of the simulated transaction. */
export function showPrepared(intent: Intent, prepared: Prepared): void {
  const { transaction, from, balance, expectedGasPrice } = prepared;
  const { to, value, gas, maxFeePerGas, nonce, chainId } = transaction;
  const highest = gas * maxFeePerGas;
  if (to === undefined) row("address", toChecksumAddress(createAddress(from, BigInt(nonce))));
  row("fee", `about ${formatJur(gas * expectedGasPrice)}, at most ${formatJur(highest)} (${gas} gas)`);
  row("balance", `${formatJur(balance)}, then at least ${formatJur(balance - value - highest)}`);
  row("nonce", `${nonce} on chain ${chainId}`);
  row("outcome", `${paint("green", "succeeds")} on the latest block${describeOutput(intent, prepared)}`);
}

function row(label: string, text: string): void {
  note(`  ${paint("dim", label.padEnd(9))} ${text}`);
}

function named(address: Address, name: string): string {
  const text = toChecksumAddress(address);
  return name.toLowerCase() === address ? text : `${text} (${name})`;
}

function describeOutput({ to, item }: Intent, { output }: Prepared): string {
  // A creation returns the contract's code, which says nothing to a reader.
  if (to === undefined || output === "0x") return "";
  if (item === undefined || item.outputs.length === 0) return `, returns ${output}`;
  return `, returns ${decodeResult(item, output).map(formatValue).join(", ")}`;
}
