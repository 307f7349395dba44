/** A verifier over an untrusted node: what it trusts, how far it has followed, and the engine it runs calls in. See specs/light/verified.md. */
import type { ContractMachine } from "../../vm/message.ts";
import { type Checkpoint, followFinality } from "./finality-follower.ts";
import { type EngineFiles, openMachine } from "./verified-call.ts";
import type { Verifier } from "./verified-methods.ts";

export type VerifierOptions = {
  /** Where the engine's files come from, for calls; asked once, when the first call is made. */
  readonly loadEngine: () => Promise<EngineFiles>;
};

export function createVerifier(
  ask: Verifier["ask"],
  checkpoint: Checkpoint,
  { loadEngine }: VerifierOptions,
): Verifier {
  let opening: Promise<ContractMachine> | undefined;
  return {
    ask,
    chainId: checkpoint.chainId,
    follower: followFinality(ask, checkpoint),
    machine() {
      opening ??= loadEngine().then(openMachine);
      return opening;
    },
  };
}
