/** Many transactions from a table: all simulated before the first is sent. See specs/wallet/wallet.md#batches. */
import type { Hex } from "viem";
import { toChecksumAddress } from "../../primitives/address.ts";
import { resolveAddress } from "../account-names.ts";
import { parseAmount } from "../amount.ts";
import { resolveContract } from "../contract-call.ts";
import { type CsvRow, parseCsv } from "../csv.ts";
import { follow } from "../follow.ts";
import { connect, type NodeClient } from "../node-client.ts";
import { senderOf, type WriteFlags } from "../options.ts";
import { formatJur, note, paint, printResult } from "../output.ts";
import { readText } from "../private-file.ts";
import { confirm } from "../prompt.ts";
import { openSigner } from "../signer.ts";
import { type Intent, type Prepared, prepareTransaction, signTransaction } from "../transaction.ts";
import { WalletError } from "../wallet-error.ts";
import { callIntent, submit } from "./writes.ts";

type Item = { readonly line: number; readonly intent: Intent; readonly prepared: Prepared };
type Outcome = {
  readonly line: number;
  readonly to: string;
  readonly value: bigint;
  hash?: Hex;
  status: string;
};

export async function batch(file: string, flags: WriteFlags): Promise<void> {
  const sender = senderOf(flags);
  const text = readText(file, "the batch", "usage");
  const rows = parseCsv(text, ["to", "value", "function", "arguments"], ["to", "value"]);
  if (rows.length === 0) throw new WalletError("usage", `${file} has no lines below its header`);
  const client = await connect(flags.rpcUrl);
  const from = await resolveAddress(sender, flags.keystore);
  const items = await prepareAll(client, from, rows, flags);
  showSummary(items, from);
  if (flags.dryRun) {
    note("  nothing was sent: --dry-run");
    const transactions = items.map(({ line, prepared }) => ({ line, ...prepared.transaction }));
    printResult(true, transactions, []);
    return;
  }
  if (!flags.yes) await confirm(`send all ${items.length}?`);
  const outcomes = await sendAll(client, items, sender, flags);
  printResult(
    flags.json,
    outcomes,
    outcomes.map(({ line, hash, status, to }) =>
      `${line}  ${status.padEnd(8)}  ${to}  ${hash ?? ""}`.trimEnd(),
    ),
  );
  const failed = outcomes.filter(({ status }) => status !== "success" && status !== "sent");
  note(`  ${outcomes.length - failed.length} of ${outcomes.length} done`);
  if (failed.length > 0)
    throw new WalletError("reverted", `${failed.length} of ${outcomes.length} did not succeed`);
}

async function prepareAll(
  client: NodeClient,
  from: Hex,
  rows: readonly CsvRow[],
  flags: WriteFlags,
): Promise<readonly Item[]> {
  const first =
    flags.nonce ?? Number(await client.request<Hex>("eth_getTransactionCount", [from, "pending"]));
  const items: Item[] = [];
  for (const [index, row] of rows.entries()) {
    try {
      const intent = await intentOf(client, row, flags);
      const prepared = await prepareTransaction(client, from, intent, { ...flags, nonce: first + index });
      items.push({ line: row.line, intent, prepared });
    } catch (error) {
      if (!(error instanceof WalletError) || error.kind === "unreachable") throw error;
      throw new WalletError(error.kind, `line ${row.line}: ${error.message}; nothing was sent`, {
        cause: error,
      });
    }
  }
  const needed = totalOf(items);
  const balance = items[0]?.prepared.balance ?? 0n;
  if (needed.value + needed.fee <= balance) return items;
  throw new WalletError(
    "reverted",
    `insufficient funds: all lines together need ${formatJur(needed.value + needed.fee)}, ${from} has ${formatJur(balance)}`,
  );
}

async function intentOf(client: NodeClient, { cells }: CsvRow, flags: WriteFlags): Promise<Intent> {
  const { to = "", value = "", function: signature = "", arguments: texts = "" } = cells;
  const contract = await resolveContract(client, to, flags);
  const amount = value === "" ? 0n : parseAmount(value);
  const terms = { keystore: flags.keystore, value: amount };
  return callIntent(contract, signature === "" ? undefined : signature, listOf(texts), terms);
}

function listOf(text: string): readonly string[] {
  if (text === "") return [];
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    value = undefined;
  }
  if (!Array.isArray(value)) throw new WalletError("usage", `arguments "${text}" are no JSON array`);
  return value.map((item: unknown) => (typeof item === "string" ? item : JSON.stringify(item)));
}

function totalOf(items: readonly Item[]): { readonly value: bigint; readonly fee: bigint } {
  let value = 0n;
  let fee = 0n;
  for (const { prepared } of items) {
    value += prepared.transaction.value;
    fee += prepared.transaction.gas * prepared.transaction.maxFeePerGas;
  }
  return { value, fee };
}

function showSummary(items: readonly Item[], from: Hex): void {
  for (const { line, intent } of items) {
    const to = intent.to === undefined ? "" : toChecksumAddress(intent.to);
    note(`  ${paint("dim", `line ${line}`.padEnd(9))} ${to}  ${formatJur(intent.value)}  ${intent.title}`);
  }
  const { value, fee } = totalOf(items);
  const balance = items[0]?.prepared.balance ?? 0n;
  note(`  ${paint("dim", "from     ")} ${toChecksumAddress(from)}`);
  note(
    `  ${paint("dim", "total    ")} ${formatJur(value)} in ${items.length} transactions, fee at most ${formatJur(fee)}`,
  );
  note(
    `  ${paint("dim", "balance  ")} ${formatJur(balance)}, then at least ${formatJur(balance - value - fee)}`,
  );
  note(`  ${paint("dim", "outcome  ")} each succeeds on the latest block`);
}

/** One after the other; the first that the node refuses stops the rest, whose nonces would leave a gap. */
async function sendAll(
  client: NodeClient,
  items: readonly Item[],
  sender: string,
  flags: WriteFlags,
): Promise<readonly Outcome[]> {
  const signer = await openSigner(sender, flags);
  const outcomes: Outcome[] = items.map(({ line, intent }) => ({
    line,
    to: intent.to ?? "",
    value: intent.value,
    status: "unsent",
  }));
  for (const [index, { prepared }] of items.entries()) {
    const outcome = outcomes[index];
    if (outcome === undefined) break;
    try {
      outcome.hash = await submit(client, signTransaction(prepared.transaction, signer).raw);
      outcome.status = "sent";
    } catch (error) {
      if (!(error instanceof WalletError)) throw error;
      note(`  ${paint("red", `line ${outcome.line}`.padEnd(9))} ${error.message}`);
      outcome.status = "refused";
      break;
    }
  }
  if (!flags.async) await followAll(client, items, outcomes, flags);
  return outcomes;
}

async function followAll(
  client: NodeClient,
  items: readonly Item[],
  outcomes: readonly Outcome[],
  { confirmations, timeout }: WriteFlags,
): Promise<void> {
  for (const [index, outcome] of outcomes.entries()) {
    if (outcome.hash === undefined) continue;
    try {
      const abi = items[index]?.intent.abi ?? [];
      await follow(client, outcome.hash, abi, { confirmations, timeoutSeconds: timeout });
      outcome.status = "success";
    } catch (error) {
      if (!(error instanceof WalletError)) throw error;
      note(`  ${paint("red", `line ${outcome.line}`.padEnd(9))} ${error.message}`);
      outcome.status = error.kind === "reverted" ? "failed" : "unknown";
    }
  }
}
