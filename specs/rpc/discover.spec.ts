/** The interface described by itself. Prose: methods.md#the-interface-itself. */
import { deepEqual, equal } from "node:assert/strict";
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
});
