/** What light clients ask for. See specs/light/light-client.md#serving. */
import type { LightQuestion } from "../execution/port.ts";
import { answerLight } from "../light/light-answers.ts";
import { get, json, numberOf, type Route } from "./route.ts";
import type { RestView } from "./view.ts";

export function lightRoutes(view: RestView): readonly Route[] {
  const route = (name: string, about: LightQuestion["about"]) =>
    get(`/jurat/v1/light/${name}`, ({ query }) =>
      json({ data: answerLight(view, { about, period: numberOf(query, "period") }) }),
    );
  return [
    route("validator_set", "validatorSet"),
    route("finalized_block", "finalizedBlock"),
    route("set_change", "setChange"),
  ];
}
