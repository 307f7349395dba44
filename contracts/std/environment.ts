/** What a contract can ask about its message, its block and its chain. See specs/contracts/authoring.md#environment. */
import { OPERATION } from "../../vm/contract/operation.ts";
import { host, hostInteger, hostText } from "./host.ts";

export const msg = Object.freeze({
  /** Who sent this message: an account or a contract. */
  get sender() {
    return hostText(OPERATION.sender);
  },
  /** Wei that came with it. */
  get value() {
    return hostInteger(OPERATION.value);
  },
  /** The call data as it came. */
  get data() {
    return hostText(OPERATION.data);
  },
});

export const block = Object.freeze({
  get number() {
    return hostInteger(OPERATION.blockNumber);
  },
  get timestamp() {
    return hostInteger(OPERATION.timestamp);
  },
  get baseFee() {
    return hostInteger(OPERATION.baseFee);
  },
  get prevRandao() {
    return hostText(OPERATION.prevRandao);
  },
  get chainId() {
    return hostInteger(OPERATION.chainId);
  },
  get coinbase() {
    return hostText(OPERATION.coinbase);
  },
  get gasLimit() {
    return hostInteger(OPERATION.gasLimit);
  },
  hash: (number: bigint) => hostText(OPERATION.blockHash, number),
});

export const tx = Object.freeze({
  get origin() {
    return hostText(OPERATION.origin);
  },
  get gasPrice() {
    return hostInteger(OPERATION.gasPrice);
  },
});

export const self = Object.freeze({
  get address() {
    return hostText(OPERATION.self);
  },
  get balance() {
    return hostInteger(OPERATION.balance, hostText(OPERATION.self));
  },
});

export const gasleft = () => hostInteger(OPERATION.gasLeft);
export const balance = (account: string) => hostInteger(OPERATION.balance, account);
export const codeHash = (account: string) => hostText(OPERATION.codeHash, account);
export const codeSize = (account: string) => hostInteger(OPERATION.codeSize, account);

/** Storage that ends with the transaction (EIP-1153), by slot. */
export const transient = Object.freeze({
  get: (slot: bigint) => hostInteger(OPERATION.loadTransient, slot),
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
