/** An ERC-20 token with an owner who mints, and EIP-2612 permits. See specs/contracts/authoring.md. */
import {
  type Address,
  abi,
  block,
  concat,
  contract,
  ecrecover,
  error,
  event,
  external,
  type Hex,
  init,
  keccak256,
  mapping,
  msg,
  self,
  storage,
  toHex,
  view,
  ZERO,
} from "chain:std";

const token = storage({
  name: "string",
  symbol: "string",
  totalSupply: "uint256",
  owner: "address",
  balances: mapping("address", "uint256"),
  allowances: mapping("address", mapping("address", "uint256")),
  nonces: mapping("address", "uint256"),
});

const Transfer = event("Transfer(address indexed from, address indexed to, uint256 value)");
const Approval = event("Approval(address indexed owner, address indexed spender, uint256 value)");
const OwnershipTransferred = event(
  "OwnershipTransferred(address indexed previousOwner, address indexed newOwner)",
);

// The names of ERC-6093 and OpenZeppelin, which wallets and explorers know how to explain.
const InsufficientBalance = error(
  "ERC20InsufficientBalance(address sender, uint256 balance, uint256 needed)",
);
const InsufficientAllowance = error(
  "ERC20InsufficientAllowance(address spender, uint256 allowance, uint256 needed)",
);
const InvalidReceiver = error("ERC20InvalidReceiver(address receiver)");
const InvalidSpender = error("ERC20InvalidSpender(address spender)");
const Unauthorized = error("OwnableUnauthorizedAccount(address account)");
const InvalidOwner = error("OwnableInvalidOwner(address owner)");
const ExpiredSignature = error("ERC2612ExpiredSignature(uint256 deadline)");
const InvalidSigner = error("ERC2612InvalidSigner(address signer, address owner)");

/** An allowance that is never used up. */
const UNLIMITED = 2n ** 256n - 1n;

export default contract({
  name: "Token",

  init: init("string name, string symbol, uint256 supply", (name, symbol, supply) => {
    token.name = name;
    token.symbol = symbol;
    setOwner(msg.sender);
    mint(msg.sender, supply);
  }),

  functions: {
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

    owner: view("() returns (address)", () => token.owner),

    mint: external("(address to, uint256 value)", (to, value) => {
      onlyOwner();
      mint(to, value);
    }),

    burn: external("(uint256 value)", (value) => {
      takeFrom(msg.sender, value);
      token.totalSupply -= value;
      Transfer({ from: msg.sender, to: ZERO, value });
    }),

    transferOwnership: external("(address newOwner)", (newOwner) => {
      onlyOwner();
      if (newOwner === ZERO) throw InvalidOwner({ owner: newOwner });
      setOwner(newOwner);
    }),

    nonces: view("(address owner) returns (uint256)", (owner) => token.nonces.get(owner)),
    DOMAIN_SEPARATOR: view("() returns (bytes32)", () => domainSeparator()),

    permit: external(
      "(address owner, address spender, uint256 value, uint256 deadline, uint8 v, bytes32 r, bytes32 s)",
      (owner, spender, value, deadline, v, r, s) => {
        if (block.timestamp > deadline) throw ExpiredSignature({ deadline });
        const nonce = token.nonces.add(owner, 1n) - 1n;
        const signer = ecrecover(permitDigest(owner, spender, value, nonce, deadline), v, r, s);
        if (signer === ZERO || signer !== owner) throw InvalidSigner({ signer, owner });
        approve(owner, spender, value);
      },
    ),
  },
});

function onlyOwner(): void {
  if (msg.sender !== token.owner) throw Unauthorized({ account: msg.sender });
}

function setOwner(newOwner: Address): void {
  OwnershipTransferred({ previousOwner: token.owner, newOwner });
  token.owner = newOwner;
}

function mint(to: Address, value: bigint): void {
  if (to === ZERO) throw InvalidReceiver({ receiver: to });
  token.totalSupply += value; // Integers are range-checked when they are stored: too much reverts.
  token.balances.add(to, value);
  Transfer({ from: ZERO, to, value });
}

function transfer(from: Address, to: Address, value: bigint): void {
  if (to === ZERO) throw InvalidReceiver({ receiver: to });
  takeFrom(from, value);
  token.balances.add(to, value);
  Transfer({ from, to, value });
}

function takeFrom(account: Address, value: bigint): void {
  const balance = token.balances.get(account);
  if (balance < value) throw InsufficientBalance({ sender: account, balance, needed: value });
  token.balances.set(account, balance - value);
}

function approve(owner: Address, spender: Address, value: bigint): void {
  if (spender === ZERO) throw InvalidSpender({ spender });
  token.allowances.get(owner).set(spender, value);
  Approval({ owner, spender, value });
}

function spendAllowance(owner: Address, spender: Address, value: bigint): void {
  const allowances = token.allowances.get(owner);
  const allowance = allowances.get(spender);
  if (allowance === UNLIMITED) return;
  if (allowance < value) throw InsufficientAllowance({ spender, allowance, needed: value });
  allowances.set(spender, allowance - value);
}

const DOMAIN_TYPE = hashText(
  "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)",
);
const PERMIT_TYPE = hashText(
  "Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)",
);
const VERSION = hashText("1");

function hashText(text: string): Hex {
  return keccak256(toHex(text));
}

function domainSeparator(): Hex {
  const types = "bytes32, bytes32, bytes32, uint256, address";
  return keccak256(
    abi.encode(types, DOMAIN_TYPE, hashText(token.name), VERSION, block.chainId, self.address),
  );
}

/** What the owner signs (EIP-712). */
function permitDigest(owner: Address, spender: Address, value: bigint, nonce: bigint, deadline: bigint): Hex {
  const types = "bytes32, address, address, uint256, uint256, uint256";
  const permit = keccak256(abi.encode(types, PERMIT_TYPE, owner, spender, value, nonce, deadline));
  return keccak256(concat("0x1901", domainSeparator(), permit));
}
