/** Whether a deposit's key proved that it is held: a second opinion, from the library and not from the engine. */
import type { PendingDeposit } from "../../consensus/containers.ts";
import type { ChainParams } from "../../consensus/params.ts";
import { depositSigningRoot } from "../../consensus/process-pending-deposits.ts";
import { blsVerify } from "../../primitives/bls.ts";
import { toHex } from "../../primitives/bytes.ts";

/** Checking is slow, and all runs of a process make the same few deposits. */
const known = new Map<string, boolean>();

export function isProven(
  { pubkey, withdrawalCredentials, amount, signature }: PendingDeposit,
  params: ChainParams,
): boolean {
  const name = `${toHex(pubkey)} ${amount} ${toHex(signature)}`;
  const message = { pubkey, withdrawalCredentials, amount };
  const verdict = known.get(name) ?? blsVerify(pubkey, depositSigningRoot(message, params), signature);
  known.set(name, verdict);
  return verdict;
}
