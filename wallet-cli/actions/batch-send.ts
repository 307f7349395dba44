/** Sending the signed lines of a batch, and waiting for them. See specs/wallet/wallet.md#batches. */
import type { Abi } from "viem";
import type { SignedLine } from "../batch-journal.ts";
import { follow } from "../follow.ts";
import type { NodeClient } from "../node-client.ts";
import type { FollowFlags } from "../options.ts";
import { note, paint } from "../output.ts";
import { WalletError } from "../wallet-error.ts";
import { submit } from "./writes.ts";

/** With the contract's ABI, as far as it is known, to decode events. */
export type BatchLine = SignedLine & { readonly abi: Abi };
/** `sent` is in the pool, `unknown` may or may not be, `refused` and `unsent` are not. */
export type Outcome = Pick<SignedLine, "line" | "to" | "value"> & {
  hash?: SignedLine["hash"];
  status: "success" | "failed" | "sent" | "unknown" | "refused" | "unsent";
};

/** One after the other; the first that the node refuses stops the rest, whose nonces would leave a gap. */
export async function sendAll(
  client: NodeClient,
  lines: readonly BatchLine[],
  flags: FollowFlags,
): Promise<readonly Outcome[]> {
  const outcomes = lines.map(({ line, to, value }): Outcome => ({ line, to, value, status: "unsent" }));
  for (const [index, signed] of lines.entries()) {
    const outcome = outcomes[index];
    if (outcome === undefined) break;
    try {
      if (!(await isKnown(client, signed))) await submit(client, signed.raw);
      outcome.hash = signed.hash;
      outcome.status = "sent";
    } catch (error) {
      if (!(error instanceof WalletError)) throw error;
      complain(outcome, error);
      outcome.status = error.kind === "unreachable" ? "unknown" : "refused";
      if (outcome.status === "unknown") outcome.hash = signed.hash;
      break;
    }
  }
  if (!flags.async) await followAll(client, lines, outcomes, flags);
  return outcomes;
}

/** Whether the chain or the node's pool has it already. */
export async function isKnown(client: NodeClient, { hash }: SignedLine): Promise<boolean> {
  return (await client.request<unknown>("eth_getTransactionByHash", [hash])) !== null;
}

async function followAll(
  client: NodeClient,
  lines: readonly BatchLine[],
  outcomes: readonly Outcome[],
  { confirmations, timeout }: FollowFlags,
): Promise<void> {
  for (const [index, outcome] of outcomes.entries()) {
    if (outcome.hash === undefined || outcome.status !== "sent") continue;
    try {
      const abi = lines[index]?.abi ?? [];
      await follow(client, outcome.hash, abi, { confirmations, timeoutSeconds: timeout });
      outcome.status = "success";
    } catch (error) {
      if (!(error instanceof WalletError)) throw error;
      complain(outcome, error);
      outcome.status = error.kind === "reverted" ? "failed" : "unknown";
    }
  }
}

function complain({ line }: Outcome, error: WalletError): void {
  note(`  ${paint("red", `line ${line}`.padEnd(9))} ${error.message}`);
}
