/** ERC-1155: many tokens in one contract. See specs/contracts/library.md#erc-1155. */
import {
  type Address,
  codeSize,
  error,
  event,
  external,
  type Hex,
  iface,
  isCallError,
  mapping,
  msg,
  storage,
  view,
  ZERO,
} from "chain:std";

const tokens = storage(
  {
    balances: mapping("uint256", mapping("address", "uint256")),
    operators: mapping("address", mapping("address", "bool")),
    uri: "string",
  },
  "openzeppelin.storage.ERC1155",
);

const TransferSingle = event(
  "TransferSingle(address indexed operator, address indexed from, address indexed to, uint256 id, uint256 value)",
);
const TransferBatch = event(
  "TransferBatch(address indexed operator, address indexed from, address indexed to, uint256[] ids, uint256[] values)",
);
const ApprovalForAll = event(
  "ApprovalForAll(address indexed account, address indexed operator, bool approved)",
);

const InsufficientBalance = error(
  "ERC1155InsufficientBalance(address sender, uint256 balance, uint256 needed, uint256 tokenId)",
);
const InvalidSender = error("ERC1155InvalidSender(address sender)");
const InvalidReceiver = error("ERC1155InvalidReceiver(address receiver)");
const MissingApproval = error("ERC1155MissingApprovalForAll(address operator, address owner)");
const InvalidOperator = error("ERC1155InvalidOperator(address operator)");
const InvalidArrayLength = error("ERC1155InvalidArrayLength(uint256 idsLength, uint256 valuesLength)");

const Receiver = iface({
  onERC1155Received:
    "(address operator, address from, uint256 id, uint256 value, bytes data) returns (bytes4)",
  onERC1155BatchReceived:
    "(address operator, address from, uint256[] ids, uint256[] values, bytes data) returns (bytes4)",
});
/** What a receiver answers: the selectors of the questions. */
const RECEIVED = "0xf23a6e61";
const BATCH_RECEIVED = "0xbc197c81";

type Amounts = readonly bigint[];

export const erc1155 = {
  uri: view("(uint256 id) returns (string)", () => tokens.uri),
  balanceOf: view("(address account, uint256 id) returns (uint256)", (account, id) =>
    tokens.balances.get(id).get(account),
  ),
  balanceOfBatch: view("(address[] accounts, uint256[] ids) returns (uint256[])", (accounts, ids) => {
    requireSameLength(ids, accounts);
    return accounts.map((account, i) => tokens.balances.get(ids[i] ?? 0n).get(account));
  }),
  isApprovedForAll: view("(address account, address operator) returns (bool)", (account, operator) =>
    tokens.operators.get(account).get(operator),
  ),
  setApprovalForAll: external("(address operator, bool approved)", (operator, approved) => {
    if (operator === ZERO) throw InvalidOperator({ operator });
    tokens.operators.get(msg.sender).set(operator, approved);
    ApprovalForAll({ account: msg.sender, operator, approved });
  }),
  safeTransferFrom: external(
    "(address from, address to, uint256 id, uint256 value, bytes data)",
    (from, to, id, value, data) => {
      requireAllowed(from);
      if (from === ZERO) throw InvalidSender({ sender: from });
      moveOne(from, to, id, value, data);
    },
  ),
  safeBatchTransferFrom: external(
    "(address from, address to, uint256[] ids, uint256[] values, bytes data)",
    (from, to, ids, values, data) => {
      requireAllowed(from);
      if (from === ZERO) throw InvalidSender({ sender: from });
      moveMany(from, to, ids, values, data);
    },
  ),
};

/** For the constructor: the address of metadata, in which clients replace `{id}`. */
export function setUri(uri: string): void {
  tokens.uri = uri;
}

export function mint(to: Address, id: bigint, value: bigint, data: Hex = "0x"): void {
  moveOne(ZERO, to, id, value, data);
}

export function mintBatch(to: Address, ids: Amounts, values: Amounts, data: Hex = "0x"): void {
  moveMany(ZERO, to, ids, values, data);
}

/** Without asking whether the caller may. */
export function burn(from: Address, id: bigint, value: bigint): void {
  if (from === ZERO) throw InvalidSender({ sender: from });
  moveBalance(from, ZERO, id, value);
  TransferSingle({ operator: msg.sender, from, to: ZERO, id, value });
}

function requireAllowed(owner: Address): void {
  const operator = msg.sender;
  if (operator !== owner && !tokens.operators.get(owner).get(operator))
    throw MissingApproval({ operator, owner });
}

function requireSameLength(ids: Amounts, values: readonly unknown[]): void {
  if (ids.length === values.length) return;
  throw InvalidArrayLength({ idsLength: BigInt(ids.length), valuesLength: BigInt(values.length) });
}

function moveOne(from: Address, to: Address, id: bigint, value: bigint, data: Hex): void {
  if (to === ZERO) throw InvalidReceiver({ receiver: to });
  moveBalance(from, to, id, value);
  TransferSingle({ operator: msg.sender, from, to, id, value });
  askReceiver(to, RECEIVED, () => Receiver(to).onERC1155Received(msg.sender, from, id, value, data));
}

function moveMany(from: Address, to: Address, ids: Amounts, values: Amounts, data: Hex): void {
  if (to === ZERO) throw InvalidReceiver({ receiver: to });
  requireSameLength(ids, values);
  for (const [i, id] of ids.entries()) moveBalance(from, to, id, values[i] ?? 0n);
  TransferBatch({ operator: msg.sender, from, to, ids, values });
  askReceiver(to, BATCH_RECEIVED, () =>
    Receiver(to).onERC1155BatchReceived(msg.sender, from, ids, values, data),
  );
}

function moveBalance(from: Address, to: Address, id: bigint, value: bigint): void {
  const balances = tokens.balances.get(id);
  if (from !== ZERO) {
    const balance = balances.get(from);
    if (balance < value) throw InsufficientBalance({ sender: from, balance, needed: value, tokenId: id });
    balances.set(from, balance - value);
  }
  if (to !== ZERO) balances.add(to, value);
}

/** A contract must say that it can hold tokens, or they would be lost in it. */
function askReceiver(to: Address, expected: Hex, ask: () => Hex): void {
  if (codeSize(to) === 0n) return;
  let answer: Hex = "0x";
  try {
    answer = ask();
  } catch (thrown) {
    // Its own reason is the better one; without one, and for an answer that is no answer, ours.
    if (isCallError(thrown) && thrown.payload !== "0x") throw thrown;
  }
  if (answer !== expected) throw InvalidReceiver({ receiver: to });
}
