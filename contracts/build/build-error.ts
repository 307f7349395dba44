/** Why a contract does not build, in the words its author needs. */
import { CodedError } from "../../primitives/errors.ts";

/** A problem at a place in a source file. Lines and columns count from 1. */
export type SourceProblem = {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly text: string;
};

export type BuildErrorDetail =
  /** The file, or something it imports, cannot be read or is not TypeScript. */
  | { readonly code: "BUILD_BUNDLE"; readonly problems: readonly SourceProblem[] }
  | { readonly code: "BUILD_TYPES"; readonly problems: readonly SourceProblem[] }
  /** TypeScript that a contract cannot run. */
  | { readonly code: "BUILD_UNSUPPORTED"; readonly problems: readonly SourceProblem[] }
  | { readonly code: "BUILD_TOO_LARGE"; readonly limitBytes: number; readonly actualBytes: number }
  /** Evaluating the module, as the chain would, failed. */
  | { readonly code: "BUILD_EVALUATION"; readonly reason: string }
  /** A contract that has the old layout's storage would read it wrongly. */
  | { readonly code: "BUILD_LAYOUT"; readonly against: string; readonly problems: readonly string[] };

export class BuildError extends CodedError<BuildErrorDetail> {
  override readonly message: string;

  constructor(detail: BuildErrorDetail, options?: ErrorOptions) {
    super(detail, options);
    this.message = describe(detail);
  }
}

function describe(detail: BuildErrorDetail): string {
  switch (detail.code) {
    case "BUILD_BUNDLE":
    case "BUILD_TYPES":
    case "BUILD_UNSUPPORTED":
      return detail.problems
        .map(({ file, line, column, text }) => (line === 0 ? text : `${file}:${line}:${column}: ${text}`))
        .join("\n");
    case "BUILD_TOO_LARGE":
      return `the contract takes ${detail.actualBytes} bytes, the limit is ${detail.limitBytes}`;
    case "BUILD_EVALUATION":
      return `evaluating the contract failed: ${detail.reason}`;
    case "BUILD_LAYOUT":
      return [`the storage is laid out otherwise than in ${detail.against}:`, ...detail.problems].join("\n");
  }
}
