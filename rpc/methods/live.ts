/** jurat_live: consensus as the explorer draws it. See specs/explorer/live.md#the-picture. */
import { HEX, type JsonSchema, orNull } from "../json-schema.ts";
import type { LivePicture } from "../live-picture.ts";
import { method } from "../method.ts";
import { asJson } from "../schema.ts";

/** Numbers but for these: the method is ours. */
const PICTURE_SHAPE: JsonSchema = {
  type: "object",
  required: ["slot", "headRoot", "blocks", "validators"],
  properties: {
    headRoot: HEX.hash,
    isSynced: { type: "boolean" },
    justified: { type: "object" },
    finalized: { type: "object" },
    blocks: { type: "array", items: { type: "object" } },
    validators: { type: "array", items: { type: "object" } },
  },
  additionalProperties: { type: "number" },
};

export const live = method({
  name: "jurat_live",
  summary: "Recent blocks as a tree, votes and validators as of the last slot; null where nothing is drawn.",
  params: {},
  result: asJson<LivePicture | null>("a picture of consensus, or null", orNull(PICTURE_SHAPE)),
  handle: ({ chain }) => chain.livePicture() ?? null,
});
