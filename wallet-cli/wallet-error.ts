/** What can go wrong in the wallet, and the exit code each kind has. See specs/wallet/wallet.md#exit-codes. */

export const EXIT_CODES = {
  ok: 0,
  failure: 1,
  usage: 2,
  unreachable: 3,
  reverted: 4,
  key: 5,
  declined: 6,
  notFound: 7,
  file: 8,
} as const;

export type ExitKind = keyof typeof EXIT_CODES;

/** A problem the user can act on: said in one sentence without a stack trace. */
export class WalletError extends Error {
  override readonly name = "WalletError";
  readonly kind: ExitKind;

  constructor(kind: ExitKind, message: string, options?: ErrorOptions) {
    super(message, options);
    this.kind = kind;
  }
}

/** A JSON-RPC error: the node heard the question and says no. */
export class NodeRefusal extends Error {
  override readonly name = "NodeRefusal";
  readonly code: number;
  readonly data: unknown;

  constructor(code: number, message: string, data: unknown) {
    super(message);
    this.code = code;
    this.data = data;
  }
}

/** The same of the beacon API. */
export class BeaconRefusal extends Error {
  override readonly name = "BeaconRefusal";
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}
