/** Tables as text: RFC 4180, with a header line. */
import { WalletError } from "./wallet-error.ts";

/** More lines than anybody confirms with one question. */
export const CSV_ROW_LIMIT = 10_000;

export type CsvRow = { readonly line: number; readonly cells: Readonly<Record<string, string>> };

/** Rows by column name. Empty lines are passed over. @throws WalletError (usage) naming the line. */
export function parseCsv(
  text: string,
  columns: readonly string[],
  required: readonly string[],
): readonly CsvRow[] {
  const [header, ...records] = splitRecords(text).filter(({ cells }) => cells.some((cell) => cell !== ""));
  const names = (header?.cells ?? []).map((name) => name.trim().toLowerCase());
  const missing = required.filter((name) => !names.includes(name));
  const unknown = names.filter((name) => !columns.includes(name));
  if (missing.length > 0 || unknown.length > 0) {
    throw new WalletError(
      "usage",
      `the first line names the columns: ${columns.join(",")} (at least ${required.join(",")}); got "${names.join(",")}"`,
    );
  }
  if (records.length > CSV_ROW_LIMIT) {
    throw new WalletError("usage", `${records.length} lines are too many: at most ${CSV_ROW_LIMIT}`);
  }
  return records.map(({ line, cells }) => {
    if (cells.length > names.length) {
      throw new WalletError("usage", `line ${line} has ${cells.length} cells for ${names.length} columns`);
    }
    return { line, cells: Object.fromEntries(names.map((name, i) => [name, (cells[i] ?? "").trim()])) };
  });
}

type CsvRecord = { readonly line: number; readonly cells: string[] };

/** A cell in quotes may hold commas, line ends and doubled quotes. */
function splitRecords(text: string): readonly CsvRecord[] {
  const records: CsvRecord[] = [];
  let line = 1;
  let record: CsvRecord = { line, cells: [] };
  const cell = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r?\n|$)/gy;
  while (cell.lastIndex < text.length) {
    const match = cell.exec(text);
    if (match === null)
      throw new WalletError("usage", `line ${line}: a quote is not closed, or stands inside a cell`);
    const [whole, quoted, plain = "", end] = match;
    record.cells.push(quoted === undefined ? plain : quoted.replaceAll('""', '"'));
    line += whole.split("\n").length - 1;
    if (end === ",") continue;
    records.push(record);
    record = { line, cells: [] };
  }
  return record.cells.length > 0 ? [...records, record] : records;
}
