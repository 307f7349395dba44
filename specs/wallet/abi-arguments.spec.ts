import { deepEqual, equal, match, rejects, throws } from "node:assert/strict";
import { parseArguments, parseEvent, parseFunction } from "../../wallet-cli/abi-arguments.ts";
import { parseAmount } from "../../wallet-cli/amount.ts";
import { WalletError } from "../../wallet-cli/wallet-error.ts";

const dev0 = "0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266";
const parse = (signature: string, ...texts: string[]) =>
  parseArguments(parseFunction(signature).inputs, texts, "/nowhere");

describe("functions on the command line", () => {
  it("are written as cast writes them, or as Solidity does", () => {
    for (const signature of [
      "balanceOf(address)(uint256)",
      "balanceOf(address account) view returns (uint256)",
    ]) {
      const { name, inputs, outputs } = parseFunction(signature);
      equal(name, "balanceOf");
      deepEqual([inputs[0]?.type, outputs[0]?.type], ["address", "uint256"]);
    }
    throws(() => parseFunction("balanceOf"), WalletError);
    throws(() => parseFunction("f(uint257)"), WalletError);
  });

  it("take numbers, addresses, accounts, booleans, bytes, lists and tuples", async () => {
    deepEqual(
      await parse("f(uint256,int8,address,bool,bytes,string)", "0x10", "-5", "dev:0", "true", "0xab", "5"),
      [16n, -5n, dev0, true, "0xab", "5"],
    );
    deepEqual(await parse("f(uint256[][2],(address,uint8))", "[[1,2],[]]", `["${dev0}",3]`), [
      [[1n, 2n], []],
      [dev0, 3n],
    ]);
  });

  it("keep every digit of a number inside a list", async () => {
    deepEqual(await parse("f(uint256[])", "[123456789012345678901234567890,1]"), [
      [123456789012345678901234567890n, 1n],
    ]);
    deepEqual(await parse("f(string[])", '["a, 5]","\\"1,"]'), [["a, 5]", '"1,']]);
  });

  it("take lists and tuples as cast writes them, with bare words", async () => {
    deepEqual(
      await parse(
        "f((address,bool,bytes)[],string[],(uint8,(int8,string)))",
        `[(${dev0}, false,0xab),(dev:0,true,0x)]`,
        '[a b, "c, d"]',
        "(5,(-1,x))",
      ),
      [
        [
          [dev0, false, "0xab"],
          [dev0, true, "0x"],
        ],
        ["a b", "c, d"],
        [5n, [-1n, "x"]],
      ],
    );
    for (const wrong of ["[1", "1]", "(1]", "[1,]", "[,1]", "[1][2]", '["\\q"]', '["a]', "[".repeat(99)]) {
      await rejects(parse("f(uint8[])", wrong), /argument 1 \(uint8\[\]\): expected a list/);
    }
  });

  it("are refused with the argument that does not fit", async () => {
    for (const [signature, text] of [
      ["f(uint256)", "ten"],
      ["f(address)", "0x12"],
      ["f(bool)", "yes"],
      ["f(bytes)", "0xabc"],
      ["f(uint256[])", "1,2"],
      ["f(uint8)", "256"],
      ["f(int8)", "-129"],
      ["f(uint256)", ""],
      ["f(uint256)", "1.5"],
      ["f(bytes4)", "0xabcdef"],
      ["f(uint8[2])", "[1]"],
      ["f((uint8,uint8))", "[1]"],
    ] as const) {
      await rejects(parse(signature, text), (error: WalletError) => {
        equal(error.kind, "usage");
        match(error.message, /argument 1/);
        return true;
      });
    }
    await rejects(parse("f(uint256)"), /expected 1 arguments/);
  });

  it("name events with their indexed fields", () => {
    const { name, inputs } = parseEvent("Transfer(address indexed from, uint256 value)");
    equal(name, "Transfer");
    deepEqual(
      inputs.map(({ indexed }) => indexed === true),
      [true, false],
    );
    throws(() => parseEvent("Transfer"), WalletError);
  });
});

describe("amounts on the command line", () => {
  it("are wei unless they carry a unit", () => {
    equal(parseAmount("1000"), 1000n);
    equal(parseAmount("1.5jur"), 1_500_000_000_000_000_000n);
    equal(parseAmount("1 ether"), 10n ** 18n);
    equal(parseAmount("3gwei"), 3_000_000_000n);
    for (const wrong of ["1.5", "one", "1btc", "-1", "1e18", ""])
      throws(() => parseAmount(wrong), WalletError);
  });
});
