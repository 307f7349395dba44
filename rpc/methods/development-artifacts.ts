/** Sources for the development chain's traces. See specs/rpc/development.md#artifacts. */

import { toHex } from "../../primitives/bytes.ts";
import { type Method, method } from "../method.ts";
import { invalidParams } from "../rpc-errors.ts";
import { boolean, data, objectOf, text } from "../schema.ts";
import type { SourceMaps } from "../source-maps.ts";

const artifact = objectOf("an artifact with a source map", {
  bytecode: data,
  sourceMap: text,
  sourceName: text,
});

export function artifactMethods(maps: SourceMaps): readonly Method[] {
  return [
    method({
      name: "jurat_addArtifact",
      summary: "Takes an artifact's source map, so that lines are those its author wrote.",
      params: { artifact },
      result: boolean,
      handle(_context, params) {
        const { bytecode, sourceMap, sourceName } = params.artifact;
        try {
          maps.add({ bytecode: toHex(bytecode), sourceMap, sourceName });
        } catch (error) {
          throw invalidParams(`artifact: ${error instanceof Error ? error.message : error}`);
        }
        return true;
      },
    }),
  ];
}
