/** What a light client needs of consensus, over JSON-RPC. See specs/light/light-client.md#serving. */
import type { LightAbout } from "../chain-view.ts";
import type { Json } from "../json.ts";
import { method } from "../method.ts";
import { serverError } from "../rpc-errors.ts";
import { asJson, count, optional } from "../schema.ts";

/** Of the validator set the client trusts; left out, it is the newest. */
const period = optional(count);

function lightMethod(name: string, about: LightAbout, summary: string) {
  return method({
    name,
    summary,
    params: { period },
    result: asJson<Json>("what a light client verifies", { type: "object" }),
    async handle({ chain }, params) {
      const answer = await chain.askLight(about, params.period);
      if ("unavailable" in answer) throw serverError(answer.unavailable);
      return answer.json;
    },
  });
}

export const getValidatorSet = lightMethod(
  "jurat_getValidatorSet",
  "validatorSet",
  "Validators with their weights in a period, and the root that a light client trusts.",
);

export const getFinalizedBlock = lightMethod(
  "jurat_getFinalizedBlock",
  "finalizedBlock",
  "The newest final block with its finality certificate: votes of two thirds of the stake.",
);

export const getSetChange = lightMethod(
  "jurat_getSetChange",
  "setChange",
  "The newest final block and, proven by it, the validator set of its period.",
);
