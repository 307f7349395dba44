/** Typed errors: every failure a caller may want to tell apart carries a code. */

/**
 * Base of all errors this project throws on purpose.
 *
 * The detail is plain data: a stable code plus the values that explain it. `message` is the code and
 * the values in one readable line, for logs; nothing may match on it.
 */
export class CodedError<Detail extends { readonly code: string }> extends Error {
  readonly detail: Detail;

  constructor(detail: Detail, options?: ErrorOptions) {
    super(describe(detail), options);
    this.name = new.target.name;
    this.detail = detail;
  }
}

function describe(detail: { readonly code: string }): string {
  const values = Object.entries(detail)
    .filter(([name]) => name !== "code")
    .map(([name, value]) => `${name}=${String(value)}`);
  return [detail.code, ...values].join(" ");
}

/** Broken invariant: we are wrong, not the input. Nobody catches it; the process stops. */
export class InvariantError extends Error {
  override readonly name = "InvariantError";
}

/** States what must be true. @throws InvariantError when it is not. */
export function assert(condition: boolean, statement: string): asserts condition {
  if (!condition) throw new InvariantError(`broken invariant: ${statement}`);
}
