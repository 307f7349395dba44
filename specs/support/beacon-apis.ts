/** Checks answers against the OpenAPI source of the beacon or keymanager APIs, which is spread over files. */
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { Ajv, type ValidateFunction } from "ajv";
import { parse } from "yaml";

type Node = { readonly [key: string]: unknown };

export class BeaconApis {
  readonly #folder: string;
  readonly #root: string;
  readonly #files = new Map<string, unknown>();
  readonly #resolved = new Map<string, unknown>();
  readonly #compiled = new Map<string, ValidateFunction>();
  readonly #ajv = new Ajv({ strict: false, validateFormats: false, allErrors: true });

  /** @param root file in the folder that lists the paths. */
  constructor(folder: string, root = "beacon-node-oapi.yaml") {
    this.#folder = folder;
    this.#root = root;
  }

  /** A validator of the JSON a request of this path is answered with. */
  answer(method: "get" | "post" | "delete", path: string, status: number): ValidateFunction {
    const name = `${method} ${path} ${status}`;
    const compiled = this.#compiled.get(name) ?? this.#ajv.compile(this.#schema(method, path, status));
    this.#compiled.set(name, compiled);
    return compiled;
  }

  #schema(method: string, path: string, status: number): object {
    const root = join(this.#folder, this.#root);
    const { paths } = this.#file(root) as {
      readonly paths: Readonly<Record<string, { readonly $ref: string }>>;
    };
    const file = join(this.#folder, paths[path]?.$ref ?? "");
    let value = this.#file(file);
    for (const part of [method, "responses", String(status), "content", "application/json", "schema"]) {
      value = (value as Node | undefined)?.[part];
      const reference = (value as Node | undefined)?.["$ref"];
      if (typeof reference === "string") value = this.#resolve(reference, file);
    }
    if (value === undefined) throw new Error(`no schema for ${method} ${path} ${status}`);
    return this.#inlined(value, file) as object;
  }

  #file(path: string): unknown {
    if (!this.#files.has(path)) this.#files.set(path, parse(readFileSync(path, "utf8")));
    return this.#files.get(path);
  }

  /** The value with every reference replaced by what it refers to; none of them goes round in a circle. */
  #inlined(value: unknown, file: string): unknown {
    if (Array.isArray(value)) return value.map((item) => this.#inlined(item, file));
    if (typeof value !== "object" || value === null) return value;
    const reference = (value as Node)["$ref"];
    if (typeof reference === "string") return this.#resolve(reference, file);
    return Object.fromEntries(
      Object.entries(value)
        .filter(([key]) => key !== "example" && key !== "examples")
        .map(([key, member]) => [key, this.#inlined(member, file)]),
    );
  }

  #resolve(reference: string, from: string): unknown {
    const [path = "", pointer = ""] = reference.split("#");
    const file = path === "" ? from : join(dirname(from), path);
    const name = `${file}#${pointer}`;
    if (this.#resolved.has(name)) return this.#resolved.get(name);
    let value = this.#file(file);
    for (const part of pointer.split("/").filter((text) => text !== "")) value = (value as Node)[part];
    if (value === undefined) throw new Error(`${reference} of ${from} leads nowhere`);
    const inlined = this.#inlined(value, file);
    this.#resolved.set(name, inlined);
    return inlined;
  }
}
