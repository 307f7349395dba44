/** What each kind of value looks like on the wire. Prose: schemas.md. */
import { deepEqual, equal, throws } from "node:assert/strict";
import fc from "fast-check";
import { anyBlock, blockParameter } from "../../rpc/block-parameter.ts";
import { callParameter, checkCall, stateOverrides } from "../../rpc/call-request.ts";
import { logQuery, matchesLog } from "../../rpc/log-filter.ts";
import { address, count, data, hash, quantity, type Schema, storageSlot } from "../../rpc/schema.ts";

const ALICE = `0x${"aa".repeat(20)}` as const;
const BLOCK = `0x${"bb".repeat(32)}` as const;

function problemOf<T>(schema: Schema<T>, json: unknown): string {
  try {
    schema.read(json, "it");
  } catch (error) {
    return String(error).replace("SchemaError: ", "");
  }
  return "accepted";
}

describe("rpc schemas", () => {
  it("reads quantities strictly", () => {
    equal(quantity.read("0x0", "it"), 0n);
    equal(quantity.read("0xFf", "it"), 255n);
    equal(quantity.read(`0x${"f".repeat(64)}`, "it"), 2n ** 256n - 1n);
    deepEqual(
      ["0x", "0x00", "ff", "", "0xg", 5, null, `0x1${"0".repeat(64)}`].map((bad) => problemOf(quantity, bad)),
      [
        'it: hex string "0x"',
        "it: hex number with leading zero digits",
        "it: hex string without 0x prefix",
        "it: empty hex string",
        "it: invalid hex string",
        "it: expected a quantity: 0x-prefixed hex without leading zeros",
        "it: expected a quantity: 0x-prefixed hex without leading zeros",
        "it: hex number > 256 bits",
      ],
    );
  });

  it("reads counts up to 2^53 - 1", () => {
    equal(count.read("0x1fffffffffffff", "it"), Number.MAX_SAFE_INTEGER);
    equal(problemOf(count, "0x20000000000000"), "it: hex number > 53 bits");
    equal(problemOf(count, `0x${"f".repeat(5000)}`), "it: hex number > 53 bits");
  });

  it("reads data in whole bytes, hashes and addresses in their exact length", () => {
    deepEqual(data.read("0x0Aff", "it"), Uint8Array.of(10, 255));
    deepEqual(data.read("0x", "it"), new Uint8Array(0));
    equal(problemOf(data, "0x123"), "it: hex string of odd length");
    equal(address.read(ALICE.toUpperCase().replace("0X", "0x"), "it"), ALICE);
    equal(problemOf(hash, ALICE), "it: hex string has length 40, want 64");
  });

  it("pads storage slots on the left and refuses more than 32 bytes", () => {
    equal(storageSlot.read("0x1", "it"), `0x${"1".padStart(64, "0")}`);
    equal(storageSlot.read("0x", "it"), `0x${"0".repeat(64)}`);
    equal(problemOf(storageSlot, "0xasdf"), 'it: invalid hex in storage key: "0xasdf"');
    const long = `0x${"0".repeat(65)}`;
    equal(problemOf(storageSlot, long), `it: storage key too long (want at most 32 bytes): "${long}"`);
  });

  it("reads back what it writes", () => {
    fc.assert(
      fc.property(
        fc.bigInt(0n, 2n ** 256n - 1n),
        fc.uint8Array(),
        fc.maxSafeNat(),
        (number, bytes, index) => {
          equal(quantity.read(quantity.write(number), "it"), number);
          deepEqual(data.read(data.write(bytes), "it"), bytes);
          equal(count.read(count.write(index), "it"), index);
        },
      ),
    );
  });
});

describe("rpc block parameter", () => {
  it("is a number, a tag, a hash, an EIP-1898 object, or omitted", () => {
    deepEqual(blockParameter.read("0x10", "block"), { number: 16 });
    deepEqual(blockParameter.read("finalized", "block"), { tag: "finalized" });
    deepEqual(blockParameter.read(BLOCK, "block"), { hash: BLOCK });
    deepEqual(blockParameter.read({ blockNumber: "0x10" }, "block"), { number: 16 });
    deepEqual(blockParameter.read({ blockNumber: "safe" }, "block"), { tag: "safe" });
    deepEqual(blockParameter.read({ blockHash: BLOCK, requireCanonical: true }, "block"), {
      hash: BLOCK,
      requireCanonical: true,
    });
    for (const omitted of [undefined, null])
      deepEqual(blockParameter.read(omitted, "block"), { tag: "latest" });
  });

  it("is nothing else", () => {
    equal(problemOf(anyBlock, "newest"), "it: hex string without 0x prefix");
    equal(problemOf(anyBlock, {}), "it.blockHash: expected 32 bytes as 0x-prefixed hex");
    equal(
      problemOf(anyBlock, { blockHash: BLOCK, blockNumber: "0x1" }),
      "it: cannot specify both BlockHash and BlockNumber, choose one or the other",
    );
  });
});

describe("rpc call object", () => {
  it("takes data and input together when they agree, as cast sends them", () => {
    const call = callParameter.read({ to: ALICE, data: "0x01", input: "0x01" }, "transaction");
    deepEqual(call.data, Uint8Array.of(1));
    deepEqual(callParameter.read({ to: ALICE, data: "0x02" }, "transaction").data, Uint8Array.of(2));
    equal(
      problemOf(callParameter, { data: "0x01", input: "0x02" }),
      'it: both "data" and "input" are set and not equal. Please use "input" to pass transaction call data',
    );
  });

  it("refuses kinds of transactions this chain does not have", () => {
    equal(
      problemOf(callParameter, { blobVersionedHashes: [] }),
      "it.blobVersionedHashes: transaction type not supported",
    );
    equal(
      problemOf(callParameter, { authorizationList: [] }),
      "it.authorizationList: transaction type not supported",
    );
  });

  it("refuses fees that contradict each other, and another chain's id", () => {
    const check = (json: object) => () => checkCall(callParameter.read(json, "transaction"), 7);
    throws(check({ gasPrice: "0x1", maxFeePerGas: "0x1" }), {
      code: -32602,
      message: "both gasPrice and (maxFeePerGas or maxPriorityFeePerGas) specified",
    });
    throws(check({ maxFeePerGas: "0x1", maxPriorityFeePerGas: "0x2" }), {
      code: -32000,
      message: "max priority fee per gas higher than max fee per gas",
    });
    throws(check({ chainId: "0x1" }), {
      code: -32602,
      message: "chainId does not match node's (have=1, want=7)",
    });
    check({ chainId: "0x7", maxFeePerGas: "0x2", maxPriorityFeePerGas: "0x2" })();
  });

  it("reads state overrides by address, whole or slot by slot", () => {
    const slot = `0x${"0".repeat(63)}1` as const;
    const word = `0x${"0".repeat(62)}ff`;
    const read = stateOverrides.read({ [ALICE]: { balance: "0x5", stateDiff: { [slot]: word } } }, "o");
    deepEqual(read, new Map([[ALICE, { balance: 5n, stateDiff: new Map([[slot, 255n]]) }]]));
    equal(
      problemOf(stateOverrides, { [ALICE]: { state: {}, stateDiff: {} } }),
      `it.${ALICE}: account has both 'state' and 'stateDiff'`,
    );
  });
});

describe("rpc log filter", () => {
  const [t0, t1] = [`0x${"00".repeat(32)}`, `0x${"11".repeat(32)}`] as const;
  const matches = (topics: unknown, logTopics: readonly `0x${string}`[]) =>
    matchesLog(logQuery.read({ topics }, "filter").filter, {
      address: ALICE,
      topics: logTopics,
      data: new Uint8Array(0),
    });

  it("matches topics by position, with wildcards and alternatives", () => {
    equal(matches(undefined, []), true);
    equal(matches([t0], [t0, t1]), true);
    equal(matches([t1], [t0, t1]), false);
    equal(matches([null, t1], [t0, t1]), true);
    equal(matches([[], [t1]], [t0, t1]), true);
    equal(matches([[t0, t1]], [t1]), true);
    equal(matches([[t0, null]], [t1]), true);
  });

  it("lets a trailing null ask for a topic that must exist", () => {
    equal(matches([t0, null], [t0]), false);
    equal(matches([t0, null], [t0, t1]), true);
    equal(matches([null], []), false);
  });

  it("refuses block hash and range together, and too many topics", () => {
    equal(
      problemOf(logQuery, { blockHash: BLOCK, fromBlock: "0x1" }),
      "it: cannot specify both BlockHash and FromBlock/ToBlock, choose one or the other",
    );
    equal(problemOf(logQuery, { topics: [null, null, null, null, null] }), "it.topics: exceed max topics");
    equal(
      problemOf(logQuery, { address: Array.from({ length: 1001 }, () => ALICE) }),
      "it.address: exceed max addresses",
    );
  });
});
