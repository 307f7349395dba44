/** A request the beacon API refuses, in the API's own shape. See specs/node/rest.md#errors. */

export class RestError extends Error {
  override readonly name = "RestError";
  /** HTTP status; also the `code` of the answer. */
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

export function badRequest(message: string): RestError {
  return new RestError(400, message);
}

export function notFound(message: string): RestError {
  return new RestError(404, message);
}
