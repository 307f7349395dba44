/** How JSON-RPC text is answered, whatever it is. Prose: dispatch.md. */
import { deepEqual, equal } from "node:assert/strict";
import fc from "fast-check";
import { TransactionRejected } from "../../rpc/chain-view.ts";
import { createDispatcher } from "../../rpc/dispatch.ts";
import { type Method, method, type RpcContext } from "../../rpc/method.ts";
import { createRateLimit } from "../../rpc/rate-limit.ts";
import { RpcError, serverError } from "../../rpc/rpc-errors.ts";
import { DEFAULT_RPC_LIMITS } from "../../rpc/rpc-limits.ts";
import { address, count, optional, quantity, text } from "../../rpc/schema.ts";

const echo = method({
  name: "test_echo",
  summary: "Answers its argument.",
  params: { text },
  result: text,
  handle: (_context, params) => params.text,
});
const add = method({
  name: "test_add",
  summary: "Adds two numbers, the second 1 when left out.",
  params: { first: quantity, second: optional(quantity, 1n) },
  result: quantity,
  handle: async (_context, { first, second }) => first + second,
});
const owner = method({
  name: "test_owner",
  summary: "Takes an address.",
  params: { address, index: count },
  result: count,
  handle: (_context, { index }) => index,
});
const failing = (name: string, error: unknown) =>
  method({
    name,
    summary: "Fails.",
    params: {},
    result: text,
    handle(): string {
      throw error;
    },
  });

const METHODS: readonly Method[] = [
  echo,
  add,
  owner,
  failing("test_gone", serverError("header not found")),
  failing("test_reverted", new RpcError(3, "execution reverted", "0x")),
  failing("test_rejected", new TransactionRejected("nonce too low", "next nonce 5, tx nonce 3")),
  failing("test_bug", new TypeError("x is undefined")),
];

/** None of the methods here asks the chain anything. */
function contextWith(limits = DEFAULT_RPC_LIMITS, nowMs = () => 0): RpcContext {
  return { limits, rate: createRateLimit(limits.requestsPerSecond, nowMs) } as RpcContext;
}

async function send(request: unknown, limits = DEFAULT_RPC_LIMITS, faults: unknown[] = []): Promise<unknown> {
  const dispatcher = createDispatcher({ methods: METHODS, onFault: (error) => faults.push(error) });
  const body = typeof request === "string" ? request : JSON.stringify(request);
  const answer = await dispatcher.handle(body, contextWith(limits));
  return answer === undefined ? undefined : JSON.parse(answer);
}

const request = (name: string, params: unknown = [], id: unknown = 1) => ({
  jsonrpc: "2.0",
  id,
  method: name,
  params,
});
const failure = (code: number, message: string, id: unknown = 1) => ({
  jsonrpc: "2.0",
  id,
  error: { code, message },
});
const success = (result: unknown, id: unknown = 1) => ({ jsonrpc: "2.0", id, result });

describe("json-rpc dispatch", () => {
  it("answers a request with its id, number, string or null", async () => {
    for (const id of [0, 1, -7.5, "abc", null]) {
      deepEqual(await send(request("test_echo", ["hi"], id)), success("hi", id));
    }
  });

  it("reads and writes by the method's schemas, with defaults", async () => {
    deepEqual(await send(request("test_add", ["0xff"])), success("0x100"));
    deepEqual(await send(request("test_add", ["0xff", null])), success("0x100"));
    deepEqual(await send(request("test_add", ["0xff", "0x2"])), success("0x101"));
  });

  it("answers text that is not JSON with a parse error and a null id", async () => {
    for (const bad of ["", "{", "nope", '{"jsonrpc":"2.0"', "\u0000"]) {
      deepEqual(await send(bad), failure(-32700, "parse error", null));
    }
  });

  it("answers JSON that is no request with an invalid request error", async () => {
    for (const bad of [1, "text", null, true, {}, { method: "test_echo", id: 1 }]) {
      const id = typeof bad === "object" && bad !== null && "id" in bad ? 1 : null;
      deepEqual(await send(JSON.stringify(bad)), failure(-32600, "invalid request", id));
    }
    deepEqual(await send({ ...request("test_echo"), jsonrpc: "1.0" }), failure(-32600, "invalid request"));
    deepEqual(await send({ ...request("test_echo"), method: 7 }), failure(-32600, "invalid request"));
    deepEqual(await send(request("test_echo", ["hi"], { a: 1 })), failure(-32600, "invalid request", null));
  });

  it("says which method does not exist", async () => {
    deepEqual(
      await send(request("eth_fillTransaction")),
      failure(-32601, "the method eth_fillTransaction does not exist/is not available"),
    );
    deepEqual(
      await send(request("__proto__")),
      failure(-32601, "the method __proto__ does not exist/is not available"),
    );
  });

  it("names the parameter that is wrong, missing or too much", async () => {
    const cases: readonly (readonly [string, unknown, string])[] = [
      ["test_echo", [], "missing value for required argument 0 (text)"],
      ["test_echo", undefined, "missing value for required argument 0 (text)"],
      ["test_echo", ["a", "b"], "too many arguments, want at most 1"],
      ["test_echo", { text: "a" }, "non-array args"],
      ["test_echo", [1], "invalid argument 0 (text): expected a string"],
      ["test_add", ["0x01"], "invalid argument 0 (first): hex number with leading zero digits"],
      ["test_add", ["12"], "invalid argument 0 (first): hex string without 0x prefix"],
      ["test_owner", ["0x12", "0x1"], "invalid argument 0 (address): hex string has length 2, want 40"],
      [
        "test_owner",
        [`0x${"11".repeat(20)}`, "0x20000000000000"],
        "invalid argument 1 (index): hex number > 53 bits",
      ],
    ];
    for (const [name, params, message] of cases) {
      deepEqual(await send({ ...request(name), params }), failure(-32602, message));
    }
  });

  it("passes on errors of methods, with data where there is some", async () => {
    deepEqual(await send(request("test_gone")), failure(-32000, "header not found"));
    deepEqual(await send(request("test_reverted")), {
      jsonrpc: "2.0",
      id: 1,
      error: { code: 3, message: "execution reverted", data: "0x" },
    });
    deepEqual(
      await send(request("test_rejected")),
      failure(-32000, "nonce too low: next nonce 5, tx nonce 3"),
    );
  });

  it("hides our own faults from the client and reports them", async () => {
    const faults: unknown[] = [];
    deepEqual(await send(request("test_bug"), DEFAULT_RPC_LIMITS, faults), failure(-32603, "internal error"));
    deepEqual(
      faults.map((fault) => String(fault)),
      ["TypeError: x is undefined"],
    );
  });

  it("carries out a notification and answers nothing", async () => {
    equal(await send({ jsonrpc: "2.0", method: "test_echo", params: ["hi"] }), undefined);
    equal(await send({ jsonrpc: "2.0", method: "test_missing" }), undefined);
  });
});

describe("json-rpc batches", () => {
  it("answers each member in order; a bad one harms no other", async () => {
    const batch = [
      request("test_echo", ["a"], 1),
      7,
      request("test_missing", [], 2),
      request("test_bug", [], 3),
      { jsonrpc: "2.0", method: "test_echo", params: ["notification"] },
      request("test_add", ["0x1"], 4),
    ];
    deepEqual(await send(batch), [
      success("a", 1),
      failure(-32600, "invalid request", null),
      failure(-32601, "the method test_missing does not exist/is not available", 2),
      failure(-32603, "internal error", 3),
      success("0x2", 4),
    ]);
  });

  it("refuses an empty batch, and answers nothing to notifications only", async () => {
    deepEqual(await send([]), failure(-32600, "empty batch", null));
    equal(await send([{ jsonrpc: "2.0", method: "test_echo", params: ["x"] }]), undefined);
  });

  it("refuses more members than the limit as a whole", async () => {
    const limits = { ...DEFAULT_RPC_LIMITS, batchItems: 3 };
    const members = [1, 2, 3, 4].map((id) => request("test_echo", ["a"], id));
    deepEqual(await send(members, limits), failure(-32600, "batch too large", null));
    deepEqual(
      await send(members.slice(0, 3), limits),
      [1, 2, 3].map((id) => success("a", id)),
    );
  });

  it("answers members beyond the size limit with an error, and only those", async () => {
    const limits = { ...DEFAULT_RPC_LIMITS, answerBytes: 400 };
    const large = "x".repeat(300);
    deepEqual(await send([request("test_echo", [large], 1), request("test_echo", [large], 2)], limits), [
      success(large, 1),
      failure(-32003, "response too large", 2),
    ]);
  });

  it("answers a batch of the largest size completely", async () => {
    const members = Array.from({ length: 1000 }, (_, id) => request("test_echo", ["a"], id));
    deepEqual(
      await send(members),
      members.map(({ id }) => success("a", id)),
    );
  });
});

describe("json-rpc dispatch, for any JSON", () => {
  it("always answers valid JSON-RPC and never reports a fault", async () => {
    const faults: unknown[] = [];
    await fc.assert(
      fc.asyncProperty(fc.jsonValue(), async (value) => {
        const answer = await send(JSON.stringify(value), DEFAULT_RPC_LIMITS, faults);
        for (const one of [answer].flat()) equal((one as { jsonrpc: string }).jsonrpc, "2.0");
      }),
    );
    deepEqual(faults, []);
  });

  it("survives arguments of any shape in any method", async () => {
    const faults: unknown[] = [];
    const names = METHODS.map(({ name }) => name).filter((name) => name !== "test_bug");
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...names), fc.array(fc.jsonValue()), async (name, params) => {
        const answer = (await send(request(name, params), DEFAULT_RPC_LIMITS, faults)) as { id: number };
        equal(answer.id, 1);
      }),
    );
    deepEqual(faults, []);
  });
});

describe("dispatch: rate", () => {
  it("counts each member of a batch, refuses what is too much, and forgets with time", async () => {
    const clock = { now: 0 };
    const context = contextWith({ ...DEFAULT_RPC_LIMITS, requestsPerSecond: 2 }, () => clock.now);
    const dispatcher = createDispatcher({ methods: METHODS, onFault: () => undefined });
    const ids = [1, 2, 3];
    const codes = async () => {
      const batch = JSON.stringify(ids.map((id) => request("test_add", ["0x1", "0x2"], id)));
      const answers = JSON.parse((await dispatcher.handle(batch, context))!) as {
        error?: { code: number };
      }[];
      return answers.map(({ error }) => error?.code);
    };
    deepEqual(await codes(), [undefined, undefined, -32005]);
    deepEqual(await codes(), [-32005, -32005, -32005]);
    clock.now = 500;
    deepEqual(await codes(), [undefined, -32005, -32005]);
    clock.now = 60_000;
    deepEqual(await codes(), [undefined, undefined, -32005], "what is saved up is one second's worth");
  });
});
