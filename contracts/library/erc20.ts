/** ERC-20: balances and allowances, and the steps a contract mints and burns with. See specs/contracts/library.md#erc-20. */
import { type Address, error, event, external, mapping, msg, storage, view, ZERO } from "chain:std";

const token = storage(
  {
    balances: mapping("address", "uint256"),
    allowances: mapping("address", mapping("address", "uint256")),
    totalSupply: "uint256",
    name: "string",
    symbol: "string",
  },
  "openzeppelin.storage.ERC20",
);

const Transfer = event("Transfer(address indexed from, address indexed to, uint256 value)");
const Approval = event("Approval(address indexed owner, address indexed spender, uint256 value)");

// ERC-6093's errors, which wallets and explorers know how to explain.
const InsufficientBalance = error(
  "ERC20InsufficientBalance(address sender, uint256 balance, uint256 needed)",
);
const InsufficientAllowance = error(
  "ERC20InsufficientAllowance(address spender, uint256 allowance, uint256 needed)",
);
const InvalidReceiver = error("ERC20InvalidReceiver(address receiver)");
const InvalidSender = error("ERC20InvalidSender(address sender)");
const InvalidApprover = error("ERC20InvalidApprover(address approver)");
const InvalidSpender = error("ERC20InvalidSpender(address spender)");

/** An allowance that is never used up. */
const UNLIMITED = 2n ** 256n - 1n;

/** The standard's functions. A contract that overrides one spreads first and writes its own below. */
export const erc20 = {
  name: view("() returns (string)", () => token.name),
  symbol: view("() returns (string)", () => token.symbol),
  decimals: view("() returns (uint8)", () => 18n),
  totalSupply: view("() returns (uint256)", () => token.totalSupply),
  balanceOf: view("(address account) returns (uint256)", (account) => token.balances.get(account)),
  allowance: view("(address owner, address spender) returns (uint256)", (owner, spender) =>
    token.allowances.get(owner).get(spender),
  ),
  transfer: external("(address to, uint256 value) returns (bool)", (to, value) => {
    transfer(msg.sender, to, value);
    return true;
  }),
  approve: external("(address spender, uint256 value) returns (bool)", (spender, value) => {
    approve(msg.sender, spender, value);
    return true;
  }),
  transferFrom: external("(address from, address to, uint256 value) returns (bool)", (from, to, value) => {
    spendAllowance(from, msg.sender, value);
    transfer(from, to, value);
    return true;
  }),
};

/** For the constructor. */
export function nameToken(name: string, symbol: string): void {
  token.name = name;
  token.symbol = symbol;
}

export function tokenName(): string {
  return token.name;
}

export function totalSupply(): bigint {
  return token.totalSupply;
}

export function balanceOf(account: Address): bigint {
  return token.balances.get(account);
}

export function transfer(from: Address, to: Address, value: bigint): void {
  if (from === ZERO) throw InvalidSender({ sender: from });
  if (to === ZERO) throw InvalidReceiver({ receiver: to });
  takeFrom(from, value);
  token.balances.add(to, value);
  Transfer({ from, to, value });
}

export function mint(to: Address, value: bigint): void {
  if (to === ZERO) throw InvalidReceiver({ receiver: to });
  token.totalSupply += value; // Integers are range-checked when they are stored: too much reverts.
  token.balances.add(to, value);
  Transfer({ from: ZERO, to, value });
}

export function burn(from: Address, value: bigint): void {
  if (from === ZERO) throw InvalidSender({ sender: from });
  takeFrom(from, value);
  token.totalSupply -= value;
  Transfer({ from, to: ZERO, value });
}

function takeFrom(account: Address, value: bigint): void {
  const balance = token.balances.get(account);
  if (balance < value) throw InsufficientBalance({ sender: account, balance, needed: value });
  token.balances.set(account, balance - value);
}

export function approve(owner: Address, spender: Address, value: bigint): void {
  if (owner === ZERO) throw InvalidApprover({ approver: owner });
  if (spender === ZERO) throw InvalidSpender({ spender });
  token.allowances.get(owner).set(spender, value);
  Approval({ owner, spender, value });
}

export function spendAllowance(owner: Address, spender: Address, value: bigint): void {
  const allowances = token.allowances.get(owner);
  const allowance = allowances.get(spender);
  if (allowance === UNLIMITED) return;
  if (allowance < value) throw InsufficientAllowance({ spender, allowance, needed: value });
  allowances.set(spender, allowance - value);
}
