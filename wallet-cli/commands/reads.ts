/** `balance`, `call`, `block`, `tx`, `receipt`, `logs` and the other questions: what costs nothing. */
import type { Command } from "commander";
import {
  type AbiFlags,
  type CallFlags,
  type NodeFlags,
  type OutputFlags,
  type ReadFlags,
  withAbi,
  withBlock,
  withDeployments,
  withKeys,
  withNode,
  withOutput,
  withSender,
  withValue,
} from "../options.ts";

export type AccountFlags = ReadFlags & Pick<AbiFlags, "deployments">;
export type BalanceFlags = AccountFlags & { readonly ether: boolean };
export type EstimateFlags = CallFlags & { readonly cost: boolean };
export type LogsFlags = ReadFlags &
  AbiFlags & { readonly fromBlock: string; readonly toBlock: string; readonly address?: string };
export type QueryFlags = NodeFlags & OutputFlags;
export type BlockFlags = QueryFlags & { readonly field?: string; readonly full: boolean };

const load = () => import("../actions/reads.ts");
const loadChain = () => import("../actions/chain-reads.ts");
const loadCalls = () => import("../actions/calls.ts");

export function addReadCommands(program: Command): void {
  addAccountReads(program);
  addChainReads(program);
  addCalls(program);
}

function addAccountReads(program: Command): void {
  const reading = (name: string) =>
    withBlock(withDeployments(withKeys(withNode(withOutput(program.command(name)))))).argument(
      "<account>",
      "address, dev:N, or the name of a deployed contract, a contact or a keystore account",
    );
  reading("balance")
    .description("balance of an account")
    .option("-e, --ether", "print the bare number of whole units", false)
    .addHelpText("after", "\nExample:\n  $ jurat-wallet balance dev:0 --block finalized")
    .action(async (account: string, flags: BalanceFlags) => (await load()).balance(account, flags));
  reading("nonce")
    .description("how many transactions an account has sent")
    .addHelpText("after", "\nExample:\n  $ jurat-wallet nonce dev:0 --block pending")
    .action(async (account: string, flags: AccountFlags) => (await load()).nonce(account, flags));
  reading("code")
    .description("code of a contract")
    .addHelpText("after", "\nExamples:\n  $ jurat-wallet code 0x5FbD…0aa3\n  $ jurat-wallet code Token")
    .action(async (account: string, flags: AccountFlags) => (await load()).code(account, flags));
  reading("storage")
    .description("one word of a contract's storage")
    .argument("<slot>", "decimal or 0x hex")
    .addHelpText("after", "\nExample:\n  $ jurat-wallet storage 0x5FbD…0aa3 0")
    .action(async (account: string, slot: string, flags: AccountFlags) =>
      (await load()).storage(account, slot, flags),
    );
  reading("proof")
    .description("Merkle proof of an account and of words of its storage (eth_getProof)")
    .argument("[slots...]", "decimal or 0x hex")
    .addHelpText("after", "\nExample:\n  $ jurat-wallet proof 0x5FbD…0aa3 0 1 --block finalized")
    .action(async (account: string, slots: string[], flags: AccountFlags) =>
      (await load()).proof(account, slots, flags),
    );
}

function addChainReads(program: Command): void {
  const asking = (name: string) => withNode(withOutput(program.command(name)));
  asking("block")
    .description("a block, or one field of it")
    .argument("[block]", "latest, safe, finalized, earliest, pending, a number or a hash", "latest")
    .argument("[field]", "as in JSON-RPC: number, baseFeePerGas, …")
    .option("-f, --field <field>", "the same")
    .option("--full", "transactions whole, instead of their hashes", false)
    .addHelpText(
      "after",
      "\nExamples:\n  $ jurat-wallet block finalized\n  $ jurat-wallet block latest baseFeePerGas",
    )
    .action(async (block: string, field: string | undefined, flags: BlockFlags) =>
      (await loadChain()).showBlock(block, field ?? flags.field, flags),
    );
  asking("tx")
    .description("a transaction, or one field of it")
    .argument("<hash>", "transaction hash")
    .argument("[field]", "as in JSON-RPC: from, value, nonce, …")
    .addHelpText("after", "\nExample:\n  $ jurat-wallet tx 0x9f2c… value")
    .action(async (hash: string, field: string | undefined, flags: QueryFlags) =>
      (await loadChain()).showTransaction(hash, field, flags),
    );
  withAbi(asking("receipt"))
    .description("receipt of a transaction, or one field of it")
    .argument("<hash>", "transaction hash")
    .argument("[field]", "as in JSON-RPC: status, gasUsed, …")
    .addHelpText("after", "\nExample:\n  $ jurat-wallet receipt 0x9f2c… --json")
    .action(async (hash: string, field: string | undefined, flags: QueryFlags & AbiFlags) =>
      (await loadChain()).showReceipt(hash, field, flags),
    );
  for (const [name, method, description] of [
    ["chain-id", "eth_chainId", "the chain's number"],
    ["block-number", "eth_blockNumber", "number of the newest block"],
    ["gas-price", "eth_gasPrice", "price of a unit of gas, in wei"],
  ] as const) {
    asking(name)
      .description(description)
      .addHelpText("after", `\nExample:\n  $ jurat-wallet ${name}`)
      .action(async (flags: QueryFlags) => (await loadChain()).showQuantity(method, flags));
  }
  asking("rpc")
    .description("any JSON-RPC method, its answer as JSON")
    .argument("<method>")
    .argument("[params...]", "JSON, or else a string")
    .addHelpText("after", "\nExample:\n  $ jurat-wallet rpc eth_getBlockByNumber latest false")
    .action(async (method: string, params: string[], flags: QueryFlags) =>
      (await loadChain()).rawRequest(method, params, flags),
    );
}

function addCalls(program: Command): void {
  const contract = "address, or a name of the deployments file";
  const calling = (name: string, target: string) =>
    withValue(withAbi(withBlock(withSender(withNode(withOutput(program.command(name)))))))
      .argument(target, contract)
      .argument("[function]", 'as "balanceOf(address)(uint256)"; its name is enough when the ABI is known')
      .argument("[arguments...]", "arrays as [1,2], tuples as (1,true), or JSON")
      .option("--data <hex>", "instead of a function");

  calling("call", "<contract>")
    .description("call a function without a transaction and print what it returns")
    .addHelpText(
      "after",
      '\nExamples:\n  $ jurat-wallet call 0x5FbD…0aa3 "balanceOf(address)(uint256)" dev:0\n  $ jurat-wallet call Token balanceOf dev:0',
    )
    .action(async (to: string, item: string | undefined, texts: string[], flags: CallFlags) =>
      (await loadCalls()).call(to, item, texts, flags),
    );
  calling("estimate", "<to>")
    .description("gas that a transaction would take")
    .option("--cost", "what it would cost, in wei", false)
    .addHelpText(
      "after",
      '\nExample:\n  $ jurat-wallet estimate Token "transfer(address,uint256)" dev:1 5 --from dev:0',
    )
    .action(async (to: string, item: string | undefined, texts: string[], flags: EstimateFlags) =>
      (await loadCalls()).estimate(to, item, texts, flags),
    );
  withAbi(withKeys(withNode(withOutput(program.command("logs")))))
    .description("events of a range of blocks, decoded when the event or the contract's ABI is known")
    .argument("[event]", 'as "Transfer(address indexed from, address indexed to, uint256 value)", or a topic')
    .argument("[values...]", "what the indexed fields, or the further topics, must be; _ for anything")
    .option("--from-block <block>", "first block", "earliest")
    .option("--to-block <block>", "last block", "latest")
    .option("--address <contract>", contract)
    .addHelpText(
      "after",
      '\nExample:\n  $ jurat-wallet logs "Transfer(address indexed from, address indexed to, uint256 value)" dev:0 --address Token',
    )
    .action(async (event: string | undefined, values: string[], flags: LogsFlags) =>
      (await loadCalls()).logs(event, values, flags),
    );
}
