import { deepEqual, equal, match, throws } from "node:assert/strict";
import { parseAmount, parseArguments, parseFunction } from "../../wallet-cli/abi-arguments.ts";
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

  it("take numbers, addresses, accounts, booleans, bytes, lists and tuples", () => {
    deepEqual(
      parse("f(uint256,int8,address,bool,bytes,string)", "0x10", "-5", "dev:0", "true", "0xab", "5"),
      [16n, -5n, dev0, true, "0xab", "5"],
    );
    deepEqual(parse("f(uint256[][2],(address,uint8))", "[[1,2],[]]", `["${dev0}",3]`), [
      [[1n, 2n], []],
      [dev0, 3n],
    ]);
  });

  it("are refused with the argument that does not fit", () => {
    for (const [signature, text] of [
      ["f(uint256)", "ten"],
      ["f(address)", "0x12"],
      ["f(bool)", "yes"],
      ["f(bytes)", "0xabc"],
      ["f(uint256[])", "1,2"],
    ] as const) {
      throws(
        () => parse(signature, text),
        (error: WalletError) => {
          equal(error.kind, "usage");
          match(error.message, /argument 1/);
          return true;
        },
      );
    }
    throws(() => parse("f(uint256)"), /expected 1 arguments/);
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
