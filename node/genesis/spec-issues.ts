/** What is wrong with a chain spec, field by field: where, what was expected, what was there. See specs/consensus/genesis.md#errors. */
import type { z } from "zod";

/** One broken rule of a file. `path` is empty for the file as a whole. */
export type SpecIssue = { readonly path: string; readonly problem: string };

/** Issues told at once; a file with a million accounts may break a rule a million times. */
const ISSUES_LIMIT = 20;
/** Characters of a wrong value that are shown. */
const SHOWN_VALUE_LIMIT = 80;

/** Raised for a file that is missing, no JSON, or no chain spec: the message says what and where. */
export class ChainSpecError extends Error {
  override readonly name = "ChainSpecError";
  readonly issues: readonly SpecIssue[];

  constructor(message: string, issues: readonly SpecIssue[] = [], options?: ErrorOptions) {
    super(message, options);
    this.issues = issues;
  }
}

/** The error for a file called `name` that breaks these rules; at least one. */
export function brokenSpec(
  name: string,
  issues: readonly SpecIssue[],
  options?: ErrorOptions,
): ChainSpecError {
  const lines = issues.map(textOfIssue);
  const separator = lines.length === 1 ? " " : "\n  ";
  return new ChainSpecError(`${name} is no chain spec:${separator}${lines.join("\n  ")}`, issues, options);
}

function textOfIssue({ path, problem }: SpecIssue): string {
  return `${path === "" ? "top level" : path}: ${problem}`;
}

/** A value that is not what was expected there. */
export function wrongValue(path: string, expected: string, actual: unknown): SpecIssue {
  return { path, problem: `expected ${expected}, got ${shown(actual)}` };
}

/** @param value what was parsed, to show the part that is wrong. */
export function issuesOf({ issues }: z.ZodError, value: unknown): readonly SpecIssue[] {
  return issues.slice(0, ISSUES_LIMIT).flatMap((issue) => {
    const path = issue.path.map(String);
    if (issue.code === "unrecognized_keys") {
      return issue.keys.map((key) => ({ path: [...path, key].join("."), problem: "there is no such field" }));
    }
    if (issue.code === "invalid_key") {
      const expected = issue.issues[0]?.message ?? "expected another name";
      return [{ path: path.join("."), problem: `${expected}, got ${shown(path.at(-1))}` }];
    }
    const actual = valueAt(value, path);
    // "Invalid input: expected number, received undefined": the middle is what helps.
    const expected = issue.message.replace(/^[A-Z][\w ]*: (?=expected)/, "").replace(/, received \w+$/, "");
    const problem = actual === undefined ? `is missing: ${expected}` : `${expected}, got ${shown(actual)}`;
    return [{ path: path.join("."), problem }];
  });
}

function valueAt(value: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>(
    (at, key) =>
      typeof at === "object" && at !== null ? (at as { readonly [key: string]: unknown })[key] : undefined,
    value,
  );
}

function shown(value: unknown): string {
  const text = typeof value === "bigint" ? String(value) : (JSON.stringify(value) ?? String(value));
  return text.length <= SHOWN_VALUE_LIMIT ? text : `${text.slice(0, SHOWN_VALUE_LIMIT)}…`;
}
