/** Exits that validators signed: handed in, and those that wait for a block. See specs/node/rest.md#exits. */
import { SignedVoluntaryExit } from "../../consensus/containers.ts";
import type { Json } from "../../rpc/json.ts";
import { badRequest, RestError } from "./rest-error.ts";
import { get, post, type Route } from "./route.ts";
import type { RestView } from "./view.ts";

/** The engine's answer to a message: a stable code when it was not accepted. */
export type Verdict = { readonly verdict: "accept" | "ignore" | "reject"; readonly reason: string };

/** Hands an exit to the engine, and when it is good to the network. */
export type SubmitExit = (exit: SignedVoluntaryExit) => Promise<Verdict>;

const EXITS_PATH = "/eth/v1/beacon/pool/voluntary_exits";

/** What the codes mean to whoever sent the exit. */
const REASONS: Readonly<Record<string, string>> = {
  OPERATION_UNKNOWN_VALIDATOR: "there is no such validator",
  OPERATION_NOT_ACTIVE: "the validator is not active yet",
  OPERATION_ALREADY_LEAVING: "the validator is leaving already",
  OPERATION_FROM_FUTURE: "its epoch lies in the future",
  OPERATION_WITHDRAWAL_PENDING: "a part of the stake is on its way out; wait until it is paid",
  OPERATION_LAST_VALIDATOR: "it is the last validator: a chain needs one",
  OPERATION_WRONG_SIGNATURE: "the signature is not the validator's over this message on this chain",
};

/** Not the exit's fault. */
const BUSY: readonly string[] = ["OPERATION_STATE_NOT_KEPT", "TOO_BUSY"];

export function poolRoutes({ engine }: RestView, submitExit: SubmitExit): readonly Route[] {
  return [
    get(EXITS_PATH, () => {
      const exits = [...engine.operationPool.voluntaryExits.values()];
      return { kind: "list", head: {}, items: exits.map((exit) => SignedVoluntaryExit.toJson(exit) as Json) };
    }),
    post(EXITS_PATH, async ({ body }) => {
      const { verdict, reason } = await submitExit(parseExit(body));
      // One that waits already was accepted before: the sender has what it wants.
      if (verdict === "accept" || reason === "OPERATION_ALREADY_KNOWN") return { kind: "empty", status: 200 };
      if (BUSY.includes(reason)) throw new RestError(503, "The node cannot judge the exit now");
      throw badRequest(`Invalid voluntary exit: ${REASONS[reason] ?? reason}`);
    }),
  ];
}

function parseExit(body: unknown): SignedVoluntaryExit {
  try {
    return SignedVoluntaryExit.fromJson(body);
  } catch {
    throw badRequest(
      "Invalid request body: expected {message: {epoch, validator_index}, signature} with numbers in quotes",
    );
  }
}
