/**
 * What a batch has signed, kept beside its table until all of it is on the chain. A batch that was interrupted goes on
 * with the same signed bytes, which no chain takes twice. See specs/wallet/wallet.md#batches.
 */
import { existsSync, rmSync } from "node:fs";
import type { Address, Hash, Hex } from "../primitives/bytes.ts";
import { toJson } from "./output.ts";
import { readText, replacePrivateFile } from "./private-file.ts";
import { WalletError } from "./wallet-error.ts";

export type SignedLine = {
  readonly line: number;
  readonly to: Address;
  /** In wei, as a decimal string. */
  readonly value: string;
  readonly hash: Hash;
  readonly raw: Hex;
};

/** Whose batch it is: of which text, on which chain, from which account. */
export type BatchOwner = { readonly tableHash: Hash; readonly genesisHash: Hash; readonly from: Address };

/** Undefined for a table from standard input, which has no place to come back to. */
export function journalPath(table: string): string | undefined {
  return table === "-" ? undefined : `${table}.batch.json`;
}

/**
 * The lines an earlier run has signed; undefined when there is nothing to go on with.
 * @throws WalletError (file) when the journal is damaged, or of another table, chain or account.
 */
export function readJournal(path: string, owner: BatchOwner): readonly SignedLine[] | undefined {
  if (!existsSync(path)) return undefined;
  const value = parseJournal(readText(path, "the batch's journal"));
  if (value === undefined) throw new WalletError("file", `${path} is damaged: it is no journal of a batch`);
  const kind = { tableHash: "table's text", genesisHash: "chain", from: "account" } as const;
  for (const key of ["from", "genesisHash", "tableHash"] as const) {
    if (value[key] === owner[key]) continue;
    throw new WalletError(
      "file",
      `${path} is of an unfinished batch with another ${kind[key]}: finish that one, or look with jurat-wallet tx which of its hashes are on the chain and remove the file`,
    );
  }
  return value.lines;
}

/** @throws WalletError (file) when another wallet began the same batch, or the file cannot be written. */
export function writeJournal(path: string, owner: BatchOwner, lines: readonly SignedLine[]): void {
  replacePrivateFile(path, () => {
    if (existsSync(path)) throw new WalletError("file", `another wallet began this batch: ${path} exists`);
    return `${toJson({ ...owner, lines })}\n`;
  });
}

export function removeJournal(path: string): void {
  rmSync(path, { force: true });
}

function parseJournal(text: string): (BatchOwner & { readonly lines: readonly SignedLine[] }) | undefined {
  try {
    const value = JSON.parse(text);
    return Array.isArray(value?.lines) && value.lines.every(isSignedLine) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isSignedLine(value: unknown): value is SignedLine {
  const { line, to, value: amount, hash, raw } = (value ?? {}) as Readonly<Record<string, unknown>>;
  const isHex = (text: unknown) => typeof text === "string" && /^0x[0-9a-f]*$/.test(text);
  return typeof line === "number" && typeof amount === "string" && isHex(to) && isHex(hash) && isHex(raw);
}
