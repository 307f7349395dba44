/** A Solidity token in the Ethereum machines that run inside Node: @ethereumjs/evm, and Hardhat's EDR. */
import { createRequire } from "node:module";
import { createEVM } from "@ethereumjs/evm";
import type { Hex } from "viem";
import { type Address, fromHex } from "../primitives/bytes.ts";

/** Runs a message to the token and returns its output. */
export type TokenCall = (data: Hex) => Promise<Uint8Array | Hex>;

const GAS_LIMIT = 30_000_000n;
const SENDER: Address = "0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266";
/** The first of the well-known development keys; its address is SENDER. */
const SENDER_KEY = "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80";

/** `runCall` of @ethereumjs/evm with its default state, which is in memory. */
export async function openEthereumJs(creation: Hex): Promise<TokenCall> {
  const evm = await createEVM();
  const create = async (sender: object) => {
    const { createdAddress } = await evm.runCall({
      ...sender,
      data: fromHex(creation),
      gasLimit: GAS_LIMIT,
    });
    if (createdAddress === undefined) throw new Error("@ethereumjs/evm created no token");
    return createdAddress;
  };
  // The sender needs an address that is not zero; that of a first copy is one.
  const caller = await create({});
  const token = await create({ caller });
  return async (data) => {
    const { execResult } = await evm.runCall({
      caller,
      to: token,
      data: fromHex(data),
      gasLimit: GAS_LIMIT,
    });
    if (execResult.exceptionError !== undefined) throw new Error(execResult.exceptionError.error);
    return execResult.returnValue;
  };
}

type EdrProvider = { handleRequest(request: string): Promise<{ readonly data: string }> };

/** `eth_call` of EDR, the engine of Hardhat. Undefined where the package is not installed. */
export async function openEdr(creation: Hex): Promise<TokenCall | undefined> {
  const provider = await startEdr();
  if (provider === undefined) return undefined;
  const ask = async <T>(method: string, ...params: unknown[]): Promise<T> => {
    const { data } = await provider.handleRequest(JSON.stringify({ jsonrpc: "2.0", id: 1, method, params }));
    const { result, error } = JSON.parse(data) as { result: T; error?: { message: string } };
    if (error !== undefined) throw new Error(`EDR, ${method}: ${error.message}`);
    return result;
  };
  const hash = await ask<Hex>("eth_sendTransaction", { from: SENDER, data: creation });
  const receipt = await ask<{ contractAddress: Hex }>("eth_getTransactionReceipt", hash);
  return (data) => ask<Hex>("eth_call", { from: SENDER, to: receipt.contractAddress, data }, "latest");
}

/** The package is a native addon without types; the names are those its loader asks for. */
async function startEdr(): Promise<EdrProvider | undefined> {
  let edr: ReturnType<typeof loadEdr>;
  try {
    edr = loadEdr();
  } catch {
    return undefined;
  }
  const context = new edr.EdrContext();
  await context.registerProviderFactory(edr.L1_CHAIN_TYPE, edr.l1ProviderFactory());
  const config = {
    ...{ chainId: 31_337n, networkId: 31_337n, hardfork: edr.PRAGUE, coinbase: Buffer.alloc(20, 1) },
    ...{ blockGasLimit: GAS_LIMIT, defaultTransactionGasLimit: GAS_LIMIT, minGasPrice: 0n },
    ...{ allowBlocksWithSameTimestamp: true, allowUnlimitedContractSize: false },
    ...{ bailOnCallFailure: true, bailOnTransactionFailure: true },
    genesisState: [{ address: Buffer.from(fromHex(SENDER)), balance: 10n ** 22n }],
    network: { genesisBlockGasLimit: GAS_LIMIT },
    initialParentBeaconBlockRoot: Buffer.alloc(32),
    initialBlobGas: { gasUsed: 0n, excessGas: 0n },
    mining: { autoMine: true, memPool: { order: edr.MineOrdering.Priority } },
    ...{ chainOverrides: [], observability: {}, precompileOverrides: [], ownedAccounts: [SENDER_KEY] },
  };
  const logger = {
    enable: false,
    decodeConsoleLogInputsCallback: () => [],
    getContractAndFunctionNameCallback: () => ({ contractName: "" }),
    printLineCallback: () => undefined,
  };
  const subscriptions = { subscriptionCallback: () => undefined };
  return context.createProvider(edr.L1_CHAIN_TYPE, config, logger, subscriptions, new edr.ContractDecoder());
}

function loadEdr() {
  return createRequire(import.meta.url)("@nomicfoundation/edr-linux-x64-gnu") as {
    readonly EdrContext: new () => {
      registerProviderFactory(chainType: string, factory: unknown): Promise<void>;
      createProvider(...args: unknown[]): Promise<EdrProvider>;
    };
    readonly ContractDecoder: new () => unknown;
    readonly l1ProviderFactory: () => unknown;
    readonly L1_CHAIN_TYPE: string;
    readonly PRAGUE: string;
    readonly MineOrdering: { readonly Priority: string };
  };
}
