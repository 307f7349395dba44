/** The interface described by itself, and execution-apis' own cases run against it. Prose: methods.md#the-interface-itself. */
import { deepEqual, equal, ok } from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { toHex } from "../../primitives/bytes.ts";
import { METHODS } from "../../rpc/method-table.ts";
import { ETHER, signed } from "../support/execution-chain.ts";
import { OpenRpc } from "../support/openrpc.ts";
import { vectorsPath } from "../support/vectors.ts";
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
      ok(own.matches({ $ref: "#/components/schemas/AccessList" }, []));
      equal(own.matches({ $ref: "#/components/schemas/Log" }, { address: "0x" }), false);
    });
  });
});

/** Cases of execution-apis that say nothing about this chain, each with why. */
const NOT_APPLICABLE: readonly (readonly [RegExp, string])[] = [
  [/^testing_/, "a namespace for tests of Ethereum clients, which this node does not serve"],
  [/^debug_trace/, "traces are described and checked in their own chapter"],
  [/^eth_call\//, "runs EVM bytecode of their chain"],
  [/^eth_estimateGas\/estimate-(call-abi-error|failed-call)/, "runs EVM bytecode of their chain"],
  [/^eth_estimateGas\/estimate-with-eip(4844|7702)/, "blob and set-code transactions do not exist here"],
  [/^eth_createAccessList\/create-al-abi-revert/, "runs EVM bytecode of their chain"],
  [
    /^eth_simulateV1\/ethSimulate-overflow-nonce/,
    "has -32603 for a broken rule, which clients retry; -32000 here",
  ],
  [/^eth_simulateV1\/ethSimulate-simple-no-funds-with-balance/, "runs EVM bytecode of their chain"],
];

type Case = {
  readonly name: string;
  readonly method: string;
  readonly params: readonly unknown[];
  readonly error: { readonly code: number; readonly message: string } | undefined;
};

/** Every case that is about an error or about the shape of the answer alone. */
function readCases(folder: string): readonly Case[] {
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" });
  return files
    .filter((file) => file.endsWith(".io"))
    .toSorted()
    .flatMap((name) => {
      const text = readFileSync(join(folder, name), "utf8");
      const lines = text.split("\n");
      const said = (mark: string) => JSON.parse(lines.find((line) => line.startsWith(mark))!.slice(3));
      const { method, params = [] } = said(">>");
      const { error } = said("<<");
      return error !== undefined || text.includes("// speconly") ? [{ name, method, params, error }] : [];
    });
}

/** What clients match on: without the position, Go's words about types, and addresses and figures after the text. */
function coreOf(message: string): string {
  return message
    .replace(/^err: /, "")
    .replace(/^invalid argument \d+( \([^)]*\))?: /, "")
    .replace(/^json: cannot unmarshal (.*) into Go value.*$/, "$1")
    .replace(/: (address|have|gas|maxFeePerGas|balance|\d).*$/, "");
}

describe("execution-apis: cases about errors and shapes", () => {
  it("are answered with their codes and words, or as their schema says", async function () {
    const cases = readCases(vectorsPath(this, "execution-apis", "tests"));
    const openrpc = new OpenRpc(vectorsPath(this, "execution-apis", "openrpc.json"));
    const applicable = cases.filter(({ name }) => !NOT_APPLICABLE.some(([pattern]) => pattern.test(name)));
    await withRpc(async (fixture) => {
      // As many blocks as their chain has, and funds for the account their calls come from.
      const gift = signed(0, { to: "0x0c2c51a0990aee1d73c1228de158688341557508", value: 10n * ETHER });
      await fixture.ask("eth_sendRawTransaction", toHex(gift.raw));
      for (let number = 1; number <= 0x36; number++) await fixture.live.mine();
      for (const { name, method, params, error } of applicable) {
        const answer = await fixture.answer(method, ...params);
        if (error === undefined) {
          const fits =
            answer.error === undefined && openrpc.matches(openrpc.resultOf(method)!, answer.result);
          equal(fits, true, `${name}: ${JSON.stringify(answer)}`);
        } else {
          const told = [answer.error?.code, coreOf(answer.error?.message ?? "none")];
          deepEqual(told, [error.code, coreOf(error.message)], name);
        }
      }
      deepEqual(fixture.faults, []);
    });
    const shapes = applicable.filter(({ error }) => error === undefined);
    deepEqual([cases.length, applicable.length, shapes.length], [67, 43, 8]);
    for (const [pattern, why] of NOT_APPLICABLE)
      ok(
        cases.some(({ name }) => pattern.test(name)),
        why,
      );
  }).timeout(20_000);
});
