/** The cases of execution-apis about errors and about shapes, unmodified. Prose: errors.md, methods.md#the-interface-itself. */
import { deepEqual, equal } from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { toHex } from "../../primitives/bytes.ts";
import { ETHER, signed } from "../support/execution-chain.ts";
import { OpenRpc } from "../support/openrpc.ts";
import { vectorsPath } from "../support/vectors.ts";
import { withRpc } from "./rpc-fixture.ts";

const BYTECODE = "runs EVM bytecode of their chain";
const THEIR_BLOCK = "names a block or a transaction of their chain by its hash";
const TESTING = "a namespace for tests of Ethereum clients, which this node does not serve";

/** Cases that cannot apply to this chain, by name, each with why. Every other case runs. */
const NOT_APPLICABLE: { readonly [name: string]: string } = {
  "debug_traceBlockByHash/trace-block-with-transactions": THEIR_BLOCK,
  "debug_traceBlockByHash/trace-genesis": THEIR_BLOCK,
  "debug_traceTransaction/trace-contract-call": THEIR_BLOCK,
  "debug_traceTransaction/trace-legacy-transfer": THEIR_BLOCK,
  "eth_call/call-revert-abi-error": BYTECODE,
  "eth_call/call-revert-abi-panic": BYTECODE,
  "eth_estimateGas/estimate-call-abi-error": BYTECODE,
  "eth_estimateGas/estimate-failed-call": BYTECODE,
  "eth_estimateGas/estimate-with-eip4844": "blob transactions do not exist here",
  "eth_estimateGas/estimate-with-eip7702": "set-code transactions do not exist here",
  "eth_simulateV1/ethSimulate-overflow-nonce-validation":
    "has -32603 for a broken rule, which clients retry; -32000 here",
  "eth_simulateV1/ethSimulate-simple-no-funds-with-balance-querying": BYTECODE,
  "testing_buildBlockV1/build-block-from-mempool": TESTING,
  "testing_buildBlockV1/build-block-invalid-transaction": TESTING,
};

type Failure = { readonly code: number; readonly message: string };
type Exchange = {
  readonly method: string;
  readonly params: readonly unknown[];
  readonly error: Failure | undefined;
};
type Case = {
  readonly name: string;
  readonly isAboutShape: boolean;
  readonly exchanges: readonly Exchange[];
};

/** Every case that is about an error or about the shape of the answer alone. */
function readCases(folder: string): readonly Case[] {
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" });
  const cases = files.filter((file) => file.endsWith(".io")).map((file) => readCase(folder, file));
  const wanted = cases.filter(
    ({ isAboutShape, exchanges }) => isAboutShape || exchanges.some(({ error }) => error !== undefined),
  );
  return wanted.toSorted((one, other) => (one.name < other.name ? -1 : 1));
}

function readCase(folder: string, file: string): Case {
  const text = readFileSync(join(folder, file), "utf8");
  const said = (mark: string) =>
    text
      .split("\n")
      .filter((line) => line.startsWith(mark))
      .map((line) => JSON.parse(line.slice(mark.length)));
  const answers = said("<<") as readonly { readonly error?: Failure }[];
  const exchanges = said(">>").map(({ method, params = [] }, index) => ({
    method,
    params,
    error: answers[index]?.error,
  }));
  return { name: file.replace(/\.io$/, ""), isAboutShape: text.includes("// speconly"), exchanges };
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
    const applicable = cases.filter(({ name }) => !(name in NOT_APPLICABLE));
    await withRpc(async (fixture) => {
      // As many blocks as their chain has, and funds for the account their calls come from.
      const gift = signed(0, { to: "0x0c2c51a0990aee1d73c1228de158688341557508", value: 10n * ETHER });
      await fixture.ask("eth_sendRawTransaction", toHex(gift.raw));
      for (let number = 1; number <= 0x36; number++) await fixture.live.mine();
      for (const { name, exchanges } of applicable) {
        for (const { method, params, error } of exchanges) {
          const answer = await fixture.answer(method, ...params);
          if (error === undefined) {
            deepEqual([answer.error, openrpc.problemOf(method, answer.result)], [undefined, undefined], name);
          } else {
            const told = [answer.error?.code, coreOf(answer.error?.message ?? "none")];
            deepEqual(told, [error.code, coreOf(error.message)], name);
          }
        }
      }
      deepEqual(fixture.faults, []);
    });
    const shapes = applicable.filter(({ isAboutShape }) => isAboutShape);
    deepEqual([cases.length, applicable.length, shapes.length], [67, 53, 14]);
  }).timeout(20_000);

  it("are all there, those that cannot apply too", function () {
    const names = readCases(vectorsPath(this, "execution-apis", "tests")).map(({ name }) => name);
    equal(names.length > 0, true);
    deepEqual(
      Object.keys(NOT_APPLICABLE).filter((name) => !names.includes(name)),
      [],
    );
  });
});
