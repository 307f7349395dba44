/** Many transactions from a table: all simulated before the first is sent. See specs/wallet/wallet.md#batches. */
import { toChecksumAddress } from "../../primitives/address.ts";
import { type Address, type Hex, utf8ToBytes } from "../../primitives/bytes.ts";
import { keccak256Hex } from "../../primitives/hash.ts";
import { resolveAddress } from "../account-names.ts";
import { parseAmount } from "../amount.ts";
import { type BatchOwner, journalPath, readJournal, removeJournal, writeJournal } from "../batch-journal.ts";
import { resolveContract } from "../contract-call.ts";
import { type CsvRow, parseCsv } from "../csv.ts";
import { genesisHashOf } from "../deployments.ts";
import { connect, type NodeClient } from "../node-client.ts";
import { senderOf, type WriteFlags } from "../options.ts";
import { formatJur, note, paint, printResult } from "../output.ts";
import { readText } from "../private-file.ts";
import { confirm } from "../prompt.ts";
import { openSigner } from "../signer.ts";
import { type Intent, type Prepared, prepareTransaction, signTransaction } from "../transaction.ts";
import { WalletError } from "../wallet-error.ts";
import { type BatchLine, isKnown, type Outcome, sendAll } from "./batch-send.ts";
import { callIntent } from "./writes.ts";

type Item = { readonly line: number; readonly intent: Intent; readonly prepared: Prepared };

export async function batch(file: string, flags: WriteFlags): Promise<void> {
  const sender = senderOf(flags);
  const text = readText(file, "the batch", "usage");
  const rows = parseCsv(text, ["to", "value", "function", "arguments"], ["to", "value"]);
  if (rows.length === 0) throw new WalletError("usage", `${file} has no lines below its header`);
  const client = await connect(flags.rpcUrl);
  const from = await resolveAddress(sender, flags.keystore);
  const owner = {
    tableHash: keccak256Hex(utf8ToBytes(text)),
    genesisHash: await genesisHashOf(client),
    from,
  };
  const journal = journalPath(file);
  const kept = journal === undefined ? undefined : readJournal(journal, owner);
  const lines =
    kept === undefined
      ? await begin(client, owner, rows, journal, flags)
      : await goOn(
          client,
          kept.map((line) => ({ ...line, abi: [] })),
          flags,
        );
  if (lines === undefined) return;
  const outcomes = await untilInterrupted(journal, () => sendAll(client, lines, flags));
  tell(outcomes, flags.json);
  closeJournal(journal, kept !== undefined, outcomes);
  const failed = outcomes.filter(({ status }) => status !== "success" && status !== "sent");
  if (failed.length > 0)
    throw new WalletError("reverted", `${failed.length} of ${outcomes.length} did not succeed`);
}

/** Simulates, shows, asks and signs all lines; undefined after a dry run. */
async function begin(
  client: NodeClient,
  owner: BatchOwner,
  rows: readonly CsvRow[],
  journal: string | undefined,
  flags: WriteFlags,
): Promise<readonly BatchLine[] | undefined> {
  const items = await prepareAll(client, owner.from, rows, flags);
  showSummary(items, owner.from);
  if (flags.dryRun) {
    note("  nothing was sent: --dry-run");
    const transactions = items.map(({ line, prepared }) => ({ line, ...prepared.transaction }));
    printResult(true, transactions, []);
    return undefined;
  }
  if (!flags.yes) await confirm(`send all ${items.length}?`);
  const signer = await openSigner(senderOf(flags), flags);
  const lines = items.map(({ line, intent, prepared }) => ({
    line,
    to: intent.to as Address,
    value: intent.value.toString(),
    ...signTransaction(prepared.transaction, signer),
    abi: intent.abi,
  }));
  if (journal !== undefined) {
    const signed = lines.map(({ abi: _abi, ...line }) => line);
    writeJournal(journal, owner, signed);
  }
  return lines;
}

/** Of a batch that was interrupted: its lines as they were signed then; undefined after a dry run. */
async function goOn(
  client: NodeClient,
  lines: readonly BatchLine[],
  flags: WriteFlags,
): Promise<readonly BatchLine[] | undefined> {
  const known = await Promise.all(lines.map((line) => isKnown(client, line)));
  const left = lines.filter((_line, index) => known[index] === false);
  note(`  ${paint("dim", "goes on  ")} ${lines.length - left.length} of ${lines.length} were sent before`);
  for (const { line, to, value } of left)
    note(
      `  ${paint("dim", `line ${line}`.padEnd(9))} ${toChecksumAddress(to)}  ${formatJur(BigInt(value))}, signed before`,
    );
  if (flags.dryRun) {
    note("  nothing was sent: --dry-run");
    const transactions = left.map(({ abi: _abi, ...line }) => line);
    printResult(true, transactions, []);
    return undefined;
  }
  if (!flags.yes && left.length > 0) await confirm(`send the other ${left.length}?`);
  return lines;
}

async function untilInterrupted<T>(journal: string | undefined, send: () => Promise<T>): Promise<T> {
  const onInterrupt = () => {
    if (journal !== undefined)
      note(`  interrupted: the same command goes on; ${journal} keeps what is signed`);
    process.exit(130);
  };
  process.once("SIGINT", onInterrupt);
  try {
    return await send();
  } finally {
    process.off("SIGINT", onInterrupt);
  }
}

function tell(outcomes: readonly Outcome[], isJson: boolean): void {
  const lines = outcomes.map(({ line, hash, status, to }) =>
    `${line}  ${status.padEnd(8)}  ${to}  ${hash ?? ""}`.trimEnd(),
  );
  printResult(isJson, outcomes, lines);
  const done = outcomes.filter(({ status }) => status === "success" || status === "sent");
  note(`  ${done.length} of ${outcomes.length} done`);
}

/** Kept while a line may still have to be sent; not when the node took none at all. */
function closeJournal(journal: string | undefined, wasKept: boolean, outcomes: readonly Outcome[]): void {
  if (journal === undefined) return;
  const isOpen = outcomes.some(({ status }) => ["unknown", "refused", "unsent"].includes(status));
  const isUntouched = !wasKept && outcomes.every(({ status }) => ["refused", "unsent"].includes(status));
  if (!isOpen || isUntouched) removeJournal(journal);
  else note(`  unfinished: the same command goes on; ${journal} keeps what is signed`);
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
