/** Checks JSON against the schemas of an OpenRPC document, with ajv. */
import { existsSync } from "node:fs";
import { Ajv, type ErrorObject, type ValidateFunction } from "ajv";
import { externalVectors, readJson } from "./vectors.ts";

export type OpenRpcDocument = {
  readonly methods: readonly { readonly name: string; readonly result?: { readonly schema: object } }[];
  readonly components: { readonly schemas: { readonly [name: string]: object } };
};

/** What the document is known as to ajv: its schemas refer to each other within it. */
const DOCUMENT = "openrpc";

export class OpenRpc {
  readonly #document: OpenRpcDocument;
  readonly #ajv: Ajv;

  /** @param source the document, or the path of its file. */
  constructor(source: string | OpenRpcDocument) {
    this.#document = typeof source === "string" ? readJson(source) : source;
    // OpenRPC's own members around the schemas are no keywords of JSON Schema.
    this.#ajv = new Ajv({ strict: false, allErrors: false, validateSchema: false });
    this.#ajv.addSchema(this.#document, DOCUMENT);
  }

  names(): readonly string[] {
    return this.#document.methods.map(({ name }) => name);
  }

  /** What is wrong with an answer of the method, undefined when nothing is. Throws for a method the document lacks. */
  problemOf(name: string, result: unknown): string | undefined {
    const index = this.#document.methods.findIndex((method) => method.name === name);
    if (this.#document.methods[index]?.result === undefined) {
      throw new Error(`the document says nothing about the result of ${name}`);
    }
    return this.#problemAt(`#/methods/${index}/result/schema`, result);
  }

  /** The same for an object of the document's components. */
  problemOfComponent(name: string, value: unknown): string | undefined {
    return this.#problemAt(`#/components/schemas/${name}`, value);
  }

  #problemAt(pointer: string, value: unknown): string | undefined {
    const validate = this.#ajv.getSchema(`${DOCUMENT}${pointer}`) as ValidateFunction | undefined;
    if (validate === undefined) throw new Error(`no schema ${pointer}`);
    if (validate(value)) return undefined;
    return `${describe(validate.errors ?? [])}: ${JSON.stringify(value)}`;
  }
}

function describe(errors: readonly ErrorObject[]): string {
  return errors.map(({ instancePath, message }) => `${instancePath || "it"} ${message}`).join(", ");
}

let specification: OpenRpc | undefined;

/** Ethereum's own document, read once; undefined where the external vectors are absent. */
export function ethereumSpecification(): OpenRpc | undefined {
  const path = externalVectors("execution-apis", "openrpc.json");
  if (specification === undefined && existsSync(path)) specification = new OpenRpc(path);
  return specification;
}
