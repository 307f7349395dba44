/** Gas of whole transactions to the library's contracts: the table of specs/contracts/library.md#gas. */
import { join } from "node:path";
import { type Abi, encodeDeployData, encodeFunctionData, type Hex } from "viem";
import { buildContract } from "../contracts/build/build-contract.ts";
import { openContractMachine } from "../node/execution/open-machine.ts";
import { type Address, fromHex, toHash } from "../primitives/bytes.ts";
import { assert } from "../primitives/errors.ts";
import { config, ETHER } from "../specs/support/execution-chain.ts";
import { MemoryState } from "../specs/support/memory-state.ts";
import { PROJECT_ROOT } from "../specs/support/vectors.ts";
import { applyTransaction, beginBlock } from "../vm/block-execution.ts";
import { DEPLOYER, opening, transaction } from "./unsigned-transactions.ts";

const OTHER: Address = "0x00000000000000000000000000000000000def00";
const LATER = 10n ** 11n;
const UNLIMITED = 2n ** 256n - 1n;

type Contract = { readonly abi: Abi; readonly address: Address; readonly deployGas: number };

/** Sends one transaction after the other in one block; every one must succeed. */
class GasMeter {
  readonly #execution = beginBlock(
    config,
    opening(),
    MemoryState.of(new Map([[DEPLOYER, { balance: 10n ** 6n * ETHER }]])),
    openContractMachine(),
    () => toHash(0n),
  );
  #nonce = 0;
  readonly rows: [name: string, gas: number][] = [];

  async deploy(name: string, ...args: unknown[]): Promise<Contract> {
    const artifact = await buildContract(join(PROJECT_ROOT, `contracts/examples/${name}.ts`), {
      typeCheck: false,
    });
    const abi = artifact.abi as Abi;
    const data = encodeDeployData({ abi, bytecode: artifact.bytecode as Hex, args });
    const { succeeded, contractAddress, gasUsed } = this.#apply(undefined, data);
    assert(succeeded && contractAddress !== undefined, `${name} deploys`);
    return { abi, address: contractAddress, deployGas: Number(gasUsed) };
  }

  /** Gas of a call; with a title it becomes a row. */
  send(
    { abi, address }: Contract,
    title: string | undefined,
    functionName: string,
    ...args: unknown[]
  ): void {
    const { succeeded, gasUsed } = this.#apply(address, encodeFunctionData({ abi, functionName, args }));
    assert(succeeded, `${functionName} succeeds`);
    if (title !== undefined) this.rows.push([title, Number(gasUsed)]);
  }

  #apply(to: Address | undefined, data: Hex) {
    return applyTransaction(this.#execution, transaction(this.#nonce++, to, fromHex(data)));
  }
}

/** Titles and gas, in the order of the table. */
export async function benchLibraryGas(): Promise<readonly (readonly [string, number])[]> {
  const meter = new GasMeter();
  const token = await meter.deploy("token", "Gold", "GLD", 10n ** 24n);
  const second = await meter.deploy("token", "Silver", "SLV", 10n ** 24n);
  meter.rows.push(["ERC-20: deploy", token.deployGas]);
  meter.send(token, "ERC-20: transfer to a new holder", "transfer", OTHER, 5n);
  meter.send(token, "ERC-20: transfer to a holder", "transfer", OTHER, 5n);
  meter.send(token, "ERC-20: approve", "approve", OTHER, 5n);
  await benchCollections(meter);
  await benchFinance(meter, token, second);
  await benchGovernance(meter, token);
  return meter.rows;
}

async function benchCollections(meter: GasMeter): Promise<void> {
  const collectible = await meter.deploy("collectible", "Cats", "CAT", "ipfs://");
  meter.send(collectible, undefined, "safeMint", DEPLOYER);
  meter.send(collectible, "ERC-721: mint, with a role", "safeMint", DEPLOYER);
  meter.send(collectible, "ERC-721: transferFrom", "transferFrom", DEPLOYER, OTHER, 0n);
  const items = await meter.deploy("items", "https://items", toHash(0n));
  meter.send(items, "ERC-1155: mint", "mint", DEPLOYER, 1n, 100n, "0x");
  meter.send(items, "ERC-1155: mintBatch of ten", "mintBatch", DEPLOYER, ids(10), ids(10), "0x");
  meter.send(items, "ERC-1155: safeTransferFrom", "safeTransferFrom", DEPLOYER, OTHER, 1n, 5n, "0x");
}

function ids(count: number): bigint[] {
  return Array.from({ length: count }, (_, i) => BigInt(i + 100));
}

async function benchFinance(meter: GasMeter, token: Contract, second: Contract): Promise<void> {
  const pool = await meter.deploy("pool", token.address, second.address);
  for (const each of [token, second]) meter.send(each, undefined, "approve", pool.address, UNLIMITED);
  meter.send(pool, "AMM: first liquidity", "addLiquidity", 10n ** 20n, 10n ** 20n, 0n, LATER);
  meter.send(pool, "AMM: add liquidity", "addLiquidity", 10n ** 18n, 10n ** 18n, 0n, LATER);
  meter.send(pool, "AMM: swap", "swap", token.address, 10n ** 16n, 0n, DEPLOYER, LATER);
  meter.send(pool, "AMM: remove liquidity", "removeLiquidity", 10n ** 17n, 0n, 0n, LATER);
  const vault = await meter.deploy("vault", token.address, "Vault", "VLT");
  meter.send(token, undefined, "approve", vault.address, UNLIMITED);
  meter.send(vault, undefined, "deposit", 10n ** 18n, DEPLOYER);
  meter.send(vault, "vault: deposit", "deposit", 10n ** 18n, DEPLOYER);
  meter.send(vault, "vault: withdraw", "withdraw", 10n ** 17n, DEPLOYER, DEPLOYER);
}

async function benchGovernance(meter: GasMeter, token: Contract): Promise<void> {
  const treasury = await meter.deploy("treasury", [DEPLOYER, OTHER], 1n);
  meter.send(token, undefined, "transfer", treasury.address, 10n);
  const data = encodeFunctionData({ ...token, functionName: "transfer", args: [OTHER, 5n] });
  meter.send(treasury, "multisig: propose a transfer", "propose", token.address, 0n, data);
  meter.send(treasury, "multisig: execute it", "execute", 0n);
  const timelock = await meter.deploy("timelock", 0n, [DEPLOYER], [DEPLOYER]);
  meter.send(token, undefined, "transfer", timelock.address, 10n);
  const operation = [token.address, 0n, data, toHash(0n), toHash(1n)];
  meter.send(timelock, "timelock: schedule a transfer", "schedule", ...operation, 0n);
  meter.send(timelock, "timelock: execute it", "execute", ...operation);
  const counter = await meter.deploy("counter");
  meter.send(counter, undefined, "increment");
  meter.send(counter, "counter: increment", "increment");
  const implementation = await meter.deploy("proxied-counter");
  const initialize = encodeFunctionData({
    ...implementation,
    functionName: "initialize",
    args: [DEPLOYER, 1n],
  });
  const { address } = await meter.deploy("proxy", implementation.address, initialize);
  meter.send({ ...implementation, address }, undefined, "increment");
  meter.send({ ...implementation, address }, "counter behind a proxy: increment", "increment");
}
