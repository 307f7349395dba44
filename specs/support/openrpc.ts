/** Checks JSON against the schemas of Ethereum's OpenRPC document. */
import { isJsonObject } from "../../rpc/json.ts";
import { readJson } from "./vectors.ts";

type JsonSchema = { readonly [keyword: string]: unknown };
export type OpenRpcDocument = {
  readonly methods: readonly { readonly name: string; readonly result?: { readonly schema: JsonSchema } }[];
  readonly components: { readonly schemas: { readonly [name: string]: JsonSchema } };
};

/** Keywords that say nothing about validity. */
const ANNOTATIONS = ["title", "description", "examples", "default", "deprecated"];

type Check = (operand: never, value: unknown, schema: JsonSchema, openrpc: OpenRpc) => boolean;

/** One rule per keyword. A keyword that is not here is an error, so nothing goes unchecked. */
const KEYWORDS: { readonly [keyword: string]: Check } = {
  $ref: (name: string, value, _schema, openrpc) => openrpc.matches(openrpc.resolve(name), value),
  type: (type: string, value) => typeOf(value) === type || (type === "number" && typeOf(value) === "integer"),
  pattern: (pattern: string, value) => typeof value !== "string" || new RegExp(pattern).test(value),
  minimum: (least: number, value) => typeof value !== "number" || value >= least,
  maximum: (most: number, value) => typeof value !== "number" || value <= most,
  enum: (values: readonly unknown[], value) => values.includes(value),
  const: (only: unknown, value) => only === value,
  required: (names: readonly string[], value) => !isJsonObject(value) || names.every((name) => name in value),
  properties: (properties: { readonly [name: string]: JsonSchema }, value, _schema, openrpc) =>
    !isJsonObject(value) ||
    Object.entries(properties).every(
      ([name, schema]) => !(name in value) || openrpc.matches(schema, value[name]),
    ),
  patternProperties: (patterns: { readonly [pattern: string]: JsonSchema }, value, _schema, openrpc) =>
    !isJsonObject(value) ||
    Object.entries(patterns).every(([pattern, schema]) =>
      Object.entries(value).every(
        ([name, one]) => !new RegExp(pattern).test(name) || openrpc.matches(schema, one),
      ),
    ),
  additionalProperties(rule: JsonSchema | boolean, value, schema, openrpc) {
    if (!isJsonObject(value) || rule === true) return true;
    const known = Object.keys((schema["properties"] as object | undefined) ?? {});
    const patterns = Object.keys((schema["patternProperties"] as object | undefined) ?? {});
    const isKnown = (name: string) =>
      known.includes(name) || patterns.some((one) => new RegExp(one).test(name));
    const more = Object.entries(value).filter(([name]) => !isKnown(name));
    return rule === false ? more.length === 0 : more.every(([, one]) => openrpc.matches(rule, one));
  },
  items: (schema: JsonSchema, value, _schema, openrpc) =>
    !Array.isArray(value) || value.every((one) => openrpc.matches(schema, one)),
  anyOf: (schemas: readonly JsonSchema[], value, _schema, openrpc) =>
    schemas.some((one) => openrpc.matches(one, value)),
  oneOf: (schemas: readonly JsonSchema[], value, _schema, openrpc) =>
    schemas.filter((one) => openrpc.matches(one, value)).length === 1,
  allOf: (schemas: readonly JsonSchema[], value, _schema, openrpc) =>
    schemas.every((one) => openrpc.matches(one, value)),
  not: (schema: JsonSchema, value, _schema, openrpc) => !openrpc.matches(schema, value),
};

function typeOf(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "array";
  return Number.isInteger(value) ? "integer" : typeof value;
}

export class OpenRpc {
  readonly #document: OpenRpcDocument;

  /** @param source the document, or the path of its file. */
  constructor(source: string | OpenRpcDocument) {
    this.#document = typeof source === "string" ? readJson(source) : source;
  }

  names(): readonly string[] {
    return this.#document.methods.map(({ name }) => name);
  }

  /** The schema of a method's result; undefined when the document does not have the method. */
  resultOf(name: string): JsonSchema | undefined {
    return this.#document.methods.find((method) => method.name === name)?.result?.schema;
  }

  resolve(reference: string): JsonSchema {
    const schema = this.#document.components.schemas[reference.replace("#/components/schemas/", "")];
    if (schema === undefined) throw new Error(`no schema ${reference}`);
    return schema;
  }

  matches(schema: JsonSchema, value: unknown): boolean {
    return Object.entries(schema).every(([keyword, operand]) => {
      if (ANNOTATIONS.includes(keyword)) return true;
      const check = KEYWORDS[keyword];
      if (check === undefined) throw new Error(`unknown schema keyword ${keyword}`);
      return check(operand as never, value, schema, this);
    });
  }
}
