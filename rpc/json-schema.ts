/** JSON Schema, as far as the reference of the methods needs it. See specs/rpc/schemas.md#reference. */
import type { JsonObject } from "./json.ts";

/** A JSON Schema; the objects of the chain are named, in the components of the OpenRPC document. */
export type JsonSchema = JsonObject;

const hexOf = (digits: string): JsonSchema => ({ type: "string", pattern: `^0x${digits}$` });

/** What a value looks like when it is written; any letter case is read. */
export const HEX = {
  quantity: hexOf("(0|[1-9a-fA-F][0-9a-fA-F]{0,63})"),
  data: hexOf("([0-9a-fA-F]{2})*"),
  hash: hexOf("[0-9a-fA-F]{64}"),
  address: hexOf("[0-9a-fA-F]{40}"),
  slot: { type: "string", pattern: "^(0[xX])?[0-9a-fA-F]{0,64}$" },
} as const satisfies { readonly [name: string]: JsonSchema };

/** Refers to an object of openrpc-objects.ts. */
export function ref(name: string): JsonSchema {
  return { $ref: `#/components/schemas/${name}` };
}

export function arrayOf(items: JsonSchema): JsonSchema {
  return { type: "array", items };
}

export function orNull(schema: JsonSchema): JsonSchema {
  return { anyOf: [schema, { type: "null" }] };
}

export function mapTo(values: JsonSchema): JsonSchema {
  return { type: "object", additionalProperties: values };
}

/** An object with all of `required`, perhaps some of `optional`, and no other members. */
export function record(
  required: { readonly [name: string]: JsonSchema },
  optional: { readonly [name: string]: JsonSchema } = {},
): JsonSchema {
  return {
    type: "object",
    required: Object.keys(required),
    properties: { ...required, ...optional },
    additionalProperties: false,
  };
}
