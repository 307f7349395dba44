/** What a contract can ask about its message, its block and its chain. See specs/contracts/authoring.md#environment. */
import { OPERATION } from "../../vm/contract/operation.ts";
import { host, hostText } from "./host.ts";

function integer(operation: number, argument?: string | bigint): bigint {
  return BigInt(host(operation, argument) as string | number);
}

export const msg = Object.freeze({
  /** Who sent this message: an account or a contract. */
  get sender() {
    return hostText(OPERATION.sender);
  },
  /** Wei that came with it. */
  get value() {
    return integer(OPERATION.value);
  },
  /** The call data as it came. */
  get data() {
    return hostText(OPERATION.data);
  },
});

export const block = Object.freeze({
  get number() {
    return integer(OPERATION.blockNumber);
  },
  get timestamp() {
    return integer(OPERATION.timestamp);
  },
  get baseFee() {
    return integer(OPERATION.baseFee);
  },
  get prevRandao() {
    return hostText(OPERATION.prevRandao);
  },
  get chainId() {
    return integer(OPERATION.chainId);
  },
  get coinbase() {
    return hostText(OPERATION.coinbase);
  },
  get gasLimit() {
    return integer(OPERATION.gasLimit);
  },
  hash: (number: bigint) => hostText(OPERATION.blockHash, number),
});

export const tx = Object.freeze({
  get origin() {
    return hostText(OPERATION.origin);
  },
  get gasPrice() {
    return integer(OPERATION.gasPrice);
  },
});

export const self = Object.freeze({
  get address() {
    return hostText(OPERATION.self);
  },
  get balance() {
    return integer(OPERATION.balance, hostText(OPERATION.self));
  },
});

export const gasleft = () => integer(OPERATION.gasLeft);
export const balance = (account: string) => integer(OPERATION.balance, account);
export const codeHash = (account: string) => hostText(OPERATION.codeHash, account);
export const codeSize = (account: string) => integer(OPERATION.codeSize, account);

/** Storage that ends with the transaction (EIP-1153), by slot. */
export const transient = Object.freeze({
  get: (slot: bigint) => integer(OPERATION.loadTransient, slot),
  set: (slot: bigint, word: bigint) => {
    host(OPERATION.storeTransient, slot, word);
  },
});

/** Prints in development; costs the same whether anyone listens or not. */
export const console = Object.freeze({
  log: (...values: unknown[]) => {
    host(OPERATION.console, values.map(describe).join(" "));
  },
});

function describe(value: unknown): string {
  if (typeof value !== "object" || value === null) return String(value);
  return JSON.stringify(value, (_key, part: unknown) => (typeof part === "bigint" ? String(part) : part));
}
