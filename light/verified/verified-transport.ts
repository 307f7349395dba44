/**
 * A transport for viem that believes only proofs. See specs/light/verified.md.
 *
 *     createPublicClient({ transport: verified(http(url), { root, chainId }) })
 */
import { type CustomTransport, custom, type Transport } from "viem";
import type { Checkpoint } from "./finality-follower.ts";
import { answerVerified } from "./verified-methods.ts";
import { createVerifier, type VerifierOptions } from "./verifier.ts";

/**
 * Answers from proofs over what `inner` brings; throws LightError on a lie, and for what cannot be proven. A block tag
 * means the newest final block.
 */
export function verified(
  inner: Transport,
  checkpoint: Checkpoint,
  options: VerifierOptions,
): CustomTransport {
  return (parameters) => {
    const { request } = inner(parameters);
    const verifier = createVerifier((method, params) => request({ method, params }), checkpoint, options);
    const provider = {
      request: ({ method, params = [] }: { readonly method: string; readonly params?: unknown }) =>
        answerVerified(verifier, method, Array.isArray(params) ? params : []),
    };
    // A lie does not become true by asking again.
    return custom(provider, { key: "verified", name: "Verified", retryCount: 0 })(parameters);
  };
}
