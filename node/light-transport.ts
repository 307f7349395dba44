/** `jurat/light` in Node: the verified transport, with the engine of this package. See specs/light/verified.md. */
import { verified as verifiedWith } from "../light/verified/verified-transport.ts";
import type { VerifierOptions } from "../light/verified/verifier.ts";
import { readEngineImage } from "./engine-image.ts";
import { readBootImage } from "./std-image.ts";

/**
 * A viem transport that answers from proofs over what `inner` brings, and throws LightError on a lie.
 *
 * @param checkpoint of somebody the user trusts; `jurat_getValidatorSet` of such a node answers one.
 */
export function verified(
  inner: Parameters<typeof verifiedWith>[0],
  checkpoint: Parameters<typeof verifiedWith>[1],
  options: VerifierOptions = { loadEngine: async () => ({ wasm: readEngineImage(), boot: readBootImage() }) },
): ReturnType<typeof verifiedWith> {
  return verifiedWith(inner, checkpoint, options);
}
