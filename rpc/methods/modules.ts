/** rpc_modules: the namespaces served. See specs/rpc/methods.md#the-interface-itself. */
import type { JsonObject } from "../json.ts";
import { mapTo } from "../json-schema.ts";
import { type Method, method } from "../method.ts";
import { asJson } from "../schema.ts";

/** Of each namespace, as geth says. */
const VERSION = "1.0";

export function modulesOf(methods: readonly Method[]): Method {
  const names = ["rpc", ...methods.map(({ name }) => name.split("_", 1)[0] ?? name)];
  const modules = Object.fromEntries([...new Set(names)].sort().map((name) => [name, VERSION]));
  return method({
    name: "rpc_modules",
    summary: "The namespaces of methods this node answers, each with its version.",
    params: {},
    result: asJson<JsonObject>("versions by namespace", mapTo({ type: "string" })),
    handle: () => modules,
  });
}
