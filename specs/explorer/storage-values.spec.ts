import { deepEqual, throws } from "node:assert/strict";
import { join } from "node:path";
import fc from "fast-check";
import { type Abi, createTestClient, type Hex, http, publicActions, walletActions } from "viem";
import { privateKeyToAccount } from "viem/accounts";
import { anvil } from "viem/chains";
import { buildContract } from "../../contracts/build/build-contract.ts";
import { ArgumentError, readArgument } from "../../explorer/contract/arguments.ts";
import { highlight } from "../../explorer/contract/highlight.ts";
import { compareLines } from "../../explorer/contract/line-difference.ts";
import { keyTypesOf, readField } from "../../explorer/contract/storage-values.ts";
import { startDevNode } from "../../node/dev/dev-node.ts";
import { deriveDevAccounts } from "../../primitives/dev-accounts.ts";
import { PROJECT_ROOT } from "../support/vectors.ts";

describe("the explorer reads storage by name", function () {
  this.timeout(60_000);

  it("fields of every kind, from the words a contract wrote on a chain", async () => {
    const node = await startDevNode(
      {
        rpcHost: "127.0.0.1",
        rpcPort: 0,
        chainId: anvil.id,
        dir: undefined,
        explorer: false,
        blockTime: undefined,
      },
      () => undefined,
    );
    try {
      const artifact = await buildContract(join(PROJECT_ROOT, "specs/contracts/fixtures/cabinet.ts"));
      const abi = artifact.abi as Abi;
      const client = createTestClient({ mode: "anvil", chain: anvil, transport: http(node.url) })
        .extend(publicActions)
        .extend(walletActions);
      const account = privateKeyToAccount(deriveDevAccounts()[0]!.privateKey);
      const hash = await client.deployContract({ abi, bytecode: artifact.bytecode as Hex, account });
      const { contractAddress } = await client.waitForTransactionReceipt({ hash, pollingInterval: 10 });
      const readWord = async (slot: bigint) =>
        BigInt(
          (await client.getStorageAt({ address: contractAddress!, slot: `0x${slot.toString(16)}` })) ?? "0x0",
        );
      const layout = artifact.storageLayout;
      const read = async (label: string, ...keys: string[]) =>
        (await readField(layout, label, keys, readWord)).map(({ path, value }) => `${path} = ${value}`);

      deepEqual(await read("small"), ["small = 7"]);
      deepEqual(await read("negative"), ["negative = -3"]);
      deepEqual(await read("flag"), ["flag = true"]);
      deepEqual(await read("tag"), ["tag = 0xabcd"]);
      deepEqual(await read("owner"), [`owner = ${account.address.toLowerCase()}`]);
      deepEqual(await read("short"), ['short = "hello"']);
      deepEqual(await read("long"), [`long = ${JSON.stringify("x".repeat(40))}`]);
      deepEqual(await read("list"), ["list = 3 elements", "list[0] = 10", "list[1] = 20", "list[2] = 30"]);
      deepEqual(await read("pair"), ["pair[0] = 1", "pair[1] = 2"]);
      deepEqual(await read("point"), ["point.x = 5", "point.y = 6"]);
      deepEqual(keyTypesOf(layout, "nested"), ["address", "uint256"]);
      deepEqual(await read("nested", account.address, "4"), [`nested[${account.address}][4] = 99`]);
      deepEqual(await read("byName", "ada"), ["byName[ada] = 36"]);
    } finally {
      await node.close();
    }
  });
});

describe("the explorer's source view", () => {
  it("loses no character of any text, whether acorn can read it or not", () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.string(), fc.constantFrom("let a = 1; // b\n/* c */ `x${y}z`", "'", "/[")),
        (text) => {
          deepEqual(
            highlight(text)
              .map((line) => line.map((piece) => piece.text).join(""))
              .join("\n"),
            text,
          );
        },
      ),
    );
  });

  it("colours words, texts, numbers and comments", () => {
    const [line] = highlight('const a = "b" + 1n; // c');
    deepEqual(
      line?.filter(({ kind }) => kind !== "plain"),
      [
        { text: "const", kind: "keyword" },
        { text: '"b"', kind: "string" },
        { text: "1n", kind: "number" },
        { text: "// c", kind: "comment" },
      ],
    );
  });

  it("compares two texts so that either can be put together again", () => {
    const lines = fc
      .array(fc.constantFrom("a", "b", "c", ""), { maxLength: 12 })
      .map((all) => all.join("\n"));
    fc.assert(
      fc.property(lines, lines, (left, right) => {
        const compared = compareLines(left, right);
        const side = (wanted: "left" | "right") =>
          compared
            .filter((line) => line.side === "both" || line.side === wanted)
            .map(({ text }) => text)
            .join("\n");
        deepEqual([side("left"), side("right")], [left, right]);
      }),
    );
  });
});

describe("the explorer's forms", () => {
  it("read what was typed as the ABI wants it", () => {
    deepEqual(readArgument({ type: "uint256" }, " 12 "), 12n);
    deepEqual(readArgument({ type: "int8" }, "-3"), -3n);
    deepEqual(readArgument({ type: "bool" }, "true"), true);
    deepEqual(readArgument({ type: "bytes" }, "0xab"), "0xab");
    deepEqual(readArgument({ type: "uint8[2]" }, '["1", 2]'), [1n, 2n]);
    const components = [
      { name: "x", type: "uint256" },
      { name: "tags", type: "string[]" },
    ];
    deepEqual(readArgument({ type: "tuple", components }, '{"x": "5", "tags": ["a"]}'), {
      x: 5n,
      tags: ["a"],
    });
  });

  it("say what was expected of what does not fit", () => {
    const refused: readonly (readonly [string, string])[] = [
      ["uint256", "1.5"],
      ["bool", "yes"],
      ["address", "0x12"],
      ["bytes4", "0xabc"],
      ["uint8[]", "1, 2"],
      ["uint8[]", '{"a": 1}'],
    ];
    for (const [type, text] of refused) throws(() => readArgument({ type }, text), ArgumentError, type);
  });
});
