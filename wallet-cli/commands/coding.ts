/** `abi-encode`, `abi-decode`, `calldata`, `sig`, `4byte`: the ABI by hand, without a node. */
import type { Command } from "commander";
import { type KeyFlags, type OutputFlags, withKeys, withOutput } from "../options.ts";

export type CalldataFlags = OutputFlags & KeyFlags;
export type EncodeFlags = CalldataFlags & { readonly packed: boolean };
export type DecodeFlags = OutputFlags & { readonly input: boolean };
export type SelectorFlags = OutputFlags & { readonly abi?: readonly string[] };

const load = () => import("../actions/coding.ts");

export function addCodingCommands(program: Command): void {
  withKeys(withOutput(program.command("abi-encode")))
    .description("encode the arguments of a function, without its selector")
    .argument("<function>", 'as "f(uint256,address[])"')
    .argument("[arguments...]", "arrays as [1,2], tuples as (1,true), or JSON")
    .option("--packed", "without padding, as abi.encodePacked does", false)
    .addHelpText("after", '\nExample:\n  $ jurat-wallet abi-encode "f(uint256,string)" 7 hello')
    .action(async (signature: string, texts: string[], flags: EncodeFlags) =>
      (await load()).encode(signature, texts, flags),
    );
  withKeys(withOutput(program.command("calldata")))
    .description("encode a call: the selector and the arguments")
    .argument("<function>", 'as "transfer(address,uint256)"')
    .argument("[arguments...]", "arrays as [1,2], tuples as (1,true), or JSON")
    .addHelpText("after", '\nExample:\n  $ jurat-wallet calldata "transfer(address,uint256)" dev:1 5')
    .action(async (signature: string, texts: string[], flags: CalldataFlags) =>
      (await load()).calldata(signature, texts, flags),
    );
  withOutput(program.command("abi-decode"))
    .description("decode what a function returned, or with --input its arguments without the selector")
    .argument("<function>", 'as "balanceOf(address)(uint256)"')
    .argument("<data>", "hex")
    .option("-i, --input", "decode the arguments", false)
    .addHelpText("after", '\nExample:\n  $ jurat-wallet abi-decode "f()(uint256,string)" 0x0000…')
    .action(async (signature: string, data: string, flags: DecodeFlags) =>
      (await load()).decode(signature, data, flags),
    );
  withOutput(program.command("sig"))
    .description("selector of a function")
    .argument("<function>", 'as "transfer(address,uint256)"')
    .addHelpText("after", '\nExample:\n  $ jurat-wallet sig "transfer(address,uint256)"')
    .action(async (signature: string, flags: OutputFlags) => (await load()).selector(signature, flags));
  withOutput(program.command("4byte"))
    .description("the function or error of local contracts that has a selector; nobody else is asked")
    .argument("<selector>", "4 bytes as hex; call data is cut to its selector")
    .option("--abi <files...>", "artifacts, JSON ABIs or contract sources; else the artifacts of ./artifacts")
    .addHelpText("after", "\nExample:\n  $ jurat-wallet 4byte 0xa9059cbb --abi contracts/examples/token.ts")
    .action(async (text: string, flags: SelectorFlags) => (await load()).lookUp(text, flags));
}
