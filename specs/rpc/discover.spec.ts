/** The interface described by itself. Prose: methods.md#the-interface-itself. */
import { deepEqual, equal } from "node:assert/strict";
import { Ajv } from "ajv";
import { METHODS } from "../../rpc/method-table.ts";
import { OpenRpc } from "../support/openrpc.ts";
import { type Loose, withRpc } from "./rpc-fixture.ts";

describe("rpc.discover", () => {
  it("describes every other method, its parameters in order, and every object it refers to", async () => {
    await withRpc(async ({ ask }) => {
      const document = await ask("rpc.discover");
      const others = METHODS.filter(({ name }) => name !== "rpc.discover");
      deepEqual(
        document.methods.map(({ name, summary, params }: Loose) => [
          name,
          summary,
          params.map((param: Loose) => [param.name, param.required]),
        ]),
        others.map(({ name, summary, params }) => [
          name,
          summary,
          Object.entries(params).map(([param, { isOptional }]) => [param, isOptional !== true]),
        ]),
      );
      deepEqual([document.openrpc, document.info.version], ["1.2.6", "jurat/spec"]);
      const referred = [...JSON.stringify(document).matchAll(/#\/components\/schemas\/(\w+)/g)];
      const names = new Set(referred.map(([, name]) => name!));
      deepEqual(
        [...names].filter((name) => !(name in document.components.schemas)),
        [],
      );
      const own = new OpenRpc(document);
      equal(own.problemOfComponent("AccessList", []), undefined);
      equal(own.problemOfComponent("Log", {})?.startsWith("it must have required property"), true);
    });
  });

  it("is valid by its own words: each schema is JSON Schema, resolves, and the document fits its own result", async () => {
    await withRpc(async ({ ask }) => {
      const document = await ask("rpc.discover");
      const ajv = new Ajv({ strict: false });
      const own = document.methods.findIndex(({ name }: Loose) => name === "rpc.discover");
      // The method that describes itself is not among those it lists.
      equal(own, -1);
      ajv.addSchema(OPENRPC);
      ajv.addSchema({ ...document, $id: "document:own" }, undefined, false, false);
      let compiled = 0;
      for (const [at, { name, params, result }] of document.methods.entries()) {
        const contents = [
          ...params.map((param: Loose, index: number) => [param, `params/${index}`]),
          [result, "result"],
        ];
        for (const [{ schema }, where] of contents) {
          equal(ajv.validateSchema(schema), true, `${name} ${where}: ${ajv.errorsText()}`);
          ajv.compile({ $ref: `document:own#/methods/${at}/${where}/schema` });
          compiled++;
        }
      }
      equal(compiled > 2 * document.methods.length, true);
      const fits = ajv.compile({ $ref: OPENRPC.$id });
      deepEqual([fits(document), fits.errors], [true, null]);
      deepEqual(
        [
          { ...document, methods: [{ name: "x" }] },
          { ...document, info: {} },
        ].map((wrong) => fits(wrong)),
        [false, false],
      );
    });
  });
});

const content = {
  type: "object",
  required: ["name", "schema"],
  properties: {
    name: { type: "string", minLength: 1 },
    schema: { type: "object" },
    required: { type: "boolean" },
  },
};

/** What OpenRPC 1.2.6 requires of a document (spec.open-rpc.org, "OpenRPC Object" and below). */
const OPENRPC = {
  $id: "https://raw.githubusercontent.com/open-rpc/meta-schema/master/schema.json",
  type: "object",
  required: ["openrpc", "info", "methods"],
  additionalProperties: false,
  properties: {
    openrpc: { type: "string", pattern: "^1\\.[0-3]\\.\\d+$" },
    info: {
      type: "object",
      required: ["title", "version"],
      properties: { title: { type: "string" }, version: { type: "string" } },
    },
    methods: {
      type: "array",
      uniqueItems: true,
      items: {
        type: "object",
        required: ["name", "params"],
        additionalProperties: false,
        properties: {
          name: { type: "string", minLength: 1 },
          summary: { type: "string" },
          paramStructure: { enum: ["by-position", "by-name", "either"] },
          params: { type: "array", items: content },
          result: content,
        },
      },
    },
    components: { type: "object", properties: { schemas: { type: "object" } } },
  },
} as const;
