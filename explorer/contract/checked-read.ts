/** A view of a contract, asked of the node and run again in this browser on proven state. */
import { runVerified } from "../../light/verified/verified-call.ts";
import { toHex } from "../../primitives/bytes.ts";
import { callParameter } from "../../rpc/call-request.ts";
import { ask } from "../node/json-rpc.ts";
import type { Hex } from "../node/objects.ts";
import { currentVerifier, proof } from "../proof/proof-state.ts";
import { type Marked, markValue } from "../proof/use-proven.ts";

export type ReadOutcome = {
  readonly output: Hex;
  /** Undefined when only the node's word is there: eth_call tells no gas. */
  readonly gasUsed: bigint | undefined;
};

type WitnessAnswer = { readonly outcome: string; readonly output: Hex; readonly gasUsed: Hex };

/** @throws NodeError when the call fails and nothing can be proven. */
export async function readChecked(call: {
  readonly to: Hex;
  readonly data: Hex;
  readonly from?: Hex;
}): Promise<Marked<ReadOutcome>> {
  const newest = proof.value.state === "following" ? proof.value.final : undefined;
  // A contract younger than the newest final block has nothing proven yet: the node's word is all there is.
  const isThere =
    newest !== undefined && (await ask<Hex>("eth_getCode", call.to, { blockHash: newest.hash })) !== "0x";
  const final = isThere ? newest : undefined;
  return markValue<ReadOutcome>(currentVerifier(), final, {
    async prove(verifier, block) {
      const { ask: askNode, chainId } = verifier;
      const site = { ask: askNode, chainId, machine: await verifier.machine() };
      const ran = await runVerified(site, block, callParameter.read(call, "call"));
      if (ran.outcome !== "success") throw new Error(`the call ends with: ${ran.outcome}`);
      return { output: toHex(ran.output), gasUsed: ran.gasUsed };
    },
    async report(block) {
      if (block === undefined)
        return { output: await ask<Hex>("eth_call", call, "latest"), gasUsed: undefined };
      const at = { blockHash: block.hash };
      const { gasUsed } = await ask<WitnessAnswer>("jurat_getWitness", call, at);
      return { output: await ask<Hex>("eth_call", call, at), gasUsed: BigInt(gasUsed) };
    },
    isEqual: (a, b) => a.output === b.output && a.gasUsed === b.gasUsed,
  });
}
