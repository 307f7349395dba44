/** rpc.discover: this interface as an OpenRPC document, made of the methods themselves. See specs/rpc/methods.md#the-interface-itself. */
import type { JsonObject } from "../json.ts";
import { type Method, method } from "../method.ts";
import { OBJECTS } from "../openrpc-objects.ts";
import { asJson, type Schema } from "../schema.ts";

/** Version of the OpenRPC specification, and where it has the schema of a document. */
const OPENRPC_VERSION = "1.2.6";
const META_SCHEMA = "https://raw.githubusercontent.com/open-rpc/meta-schema/master/schema.json";

export function discoverOf(methods: readonly Method[]): Method {
  const described = methods.map(describe);
  return method({
    name: "rpc.discover",
    summary: "This document.",
    params: {},
    result: asJson<JsonObject>("an OpenRPC document", { $ref: META_SCHEMA }),
    handle: ({ chain }) => ({
      openrpc: OPENRPC_VERSION,
      info: { title: "JSON-RPC of an Ethereum node", version: chain.clientVersion },
      methods: described,
      components: { schemas: OBJECTS },
    }),
  });
}

function describe({ name, summary, params, result }: Method): JsonObject {
  return {
    name,
    summary,
    paramStructure: "by-position",
    params: Object.entries(params).map(([param, schema]) => ({
      ...content(param, schema),
      required: schema.isOptional !== true,
    })),
    result: content("result", result),
  };
}

function content(name: string, { expects, shape }: Schema<unknown>): JsonObject {
  return { name, description: expects, schema: shape };
}
