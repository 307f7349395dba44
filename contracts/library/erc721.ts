/** ERC-721: tokens of which each is one of a kind. See specs/contracts/library.md#erc-721. */
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
    name: "string",
    symbol: "string",
    owners: mapping("uint256", "address"),
    balances: mapping("address", "uint256"),
    approvals: mapping("uint256", "address"),
    operators: mapping("address", mapping("address", "bool")),
  },
  "openzeppelin.storage.ERC721",
);

const Transfer = event("Transfer(address indexed from, address indexed to, uint256 indexed tokenId)");
const Approval = event("Approval(address indexed owner, address indexed approved, uint256 indexed tokenId)");
const ApprovalForAll = event(
  "ApprovalForAll(address indexed owner, address indexed operator, bool approved)",
);

const InvalidOwner = error("ERC721InvalidOwner(address owner)");
const NonexistentToken = error("ERC721NonexistentToken(uint256 tokenId)");
const IncorrectOwner = error("ERC721IncorrectOwner(address sender, uint256 tokenId, address owner)");
const InvalidSender = error("ERC721InvalidSender(address sender)");
const InvalidReceiver = error("ERC721InvalidReceiver(address receiver)");
const InsufficientApproval = error("ERC721InsufficientApproval(address operator, uint256 tokenId)");
const InvalidApprover = error("ERC721InvalidApprover(address approver)");
const InvalidOperator = error("ERC721InvalidOperator(address operator)");

const Receiver = iface({
  onERC721Received: "(address operator, address from, uint256 tokenId, bytes data) returns (bytes4)",
});
/** What a receiver answers: the selector of the question. */
const RECEIVED = "0x150b7a02";

export const erc721 = {
  name: view("() returns (string)", () => tokens.name),
  symbol: view("() returns (string)", () => tokens.symbol),
  balanceOf: view("(address owner) returns (uint256)", (owner) => {
    if (owner === ZERO) throw InvalidOwner({ owner });
    return tokens.balances.get(owner);
  }),
  ownerOf: view("(uint256 tokenId) returns (address)", (tokenId) => ownerOf(tokenId)),
  getApproved: view("(uint256 tokenId) returns (address)", (tokenId) => {
    ownerOf(tokenId);
    return tokens.approvals.get(tokenId);
  }),
  isApprovedForAll: view("(address owner, address operator) returns (bool)", (owner, operator) =>
    tokens.operators.get(owner).get(operator),
  ),
  approve: external("(address to, uint256 tokenId)", (to, tokenId) => {
    const owner = ownerOf(tokenId);
    if (msg.sender !== owner && !tokens.operators.get(owner).get(msg.sender)) {
      throw InvalidApprover({ approver: msg.sender });
    }
    tokens.approvals.set(tokenId, to);
    Approval({ owner, approved: to, tokenId });
  }),
  setApprovalForAll: external("(address operator, bool approved)", (operator, approved) => {
    if (operator === ZERO) throw InvalidOperator({ operator });
    tokens.operators.get(msg.sender).set(operator, approved);
    ApprovalForAll({ owner: msg.sender, operator, approved });
  }),
  transferFrom: external("(address from, address to, uint256 tokenId)", (from, to, tokenId) => {
    transferBy(msg.sender, from, to, tokenId);
  }),
  safeTransferFrom: [
    external("(address from, address to, uint256 tokenId)", (from, to, tokenId) => {
      transferBy(msg.sender, from, to, tokenId);
      askReceiver(from, to, tokenId, "0x");
    }),
    external("(address from, address to, uint256 tokenId, bytes data)", (from, to, tokenId, data) => {
      transferBy(msg.sender, from, to, tokenId);
      askReceiver(from, to, tokenId, data);
    }),
  ],
};

/** For the constructor. */
export function nameTokens(name: string, symbol: string): void {
  tokens.name = name;
  tokens.symbol = symbol;
}

/** Reverts when there is no such token. */
export function ownerOf(tokenId: bigint): Address {
  const owner = tokens.owners.get(tokenId);
  if (owner === ZERO) throw NonexistentToken({ tokenId });
  return owner;
}

function transferBy(operator: Address, from: Address, to: Address, tokenId: bigint): void {
  if (to === ZERO) throw InvalidReceiver({ receiver: to });
  const owner = ownerOf(tokenId);
  const isAllowed =
    operator === owner ||
    tokens.approvals.get(tokenId) === operator ||
    tokens.operators.get(owner).get(operator);
  if (!isAllowed) throw InsufficientApproval({ operator, tokenId });
  if (owner !== from) throw IncorrectOwner({ sender: from, tokenId, owner });
  move(from, to, tokenId);
}

export function mint(to: Address, tokenId: bigint): void {
  if (to === ZERO) throw InvalidReceiver({ receiver: to });
  if (tokens.owners.get(tokenId) !== ZERO) throw InvalidSender({ sender: ZERO });
  move(ZERO, to, tokenId);
}

/** Mints, and asks a receiver that is a contract whether it can hold the token. */
export function safeMint(to: Address, tokenId: bigint, data: Hex = "0x"): void {
  mint(to, tokenId);
  askReceiver(ZERO, to, tokenId, data);
}

/** Without asking whether the caller may. */
export function burn(tokenId: bigint): void {
  move(ownerOf(tokenId), ZERO, tokenId);
}

/** An approval is for one owner only, so it ends here. */
function move(from: Address, to: Address, tokenId: bigint): void {
  if (from !== ZERO) {
    tokens.approvals.set(tokenId, ZERO);
    tokens.balances.sub(from, 1n);
  }
  if (to !== ZERO) tokens.balances.add(to, 1n);
  tokens.owners.set(tokenId, to);
  Transfer({ from, to, tokenId });
}

/** A contract must say that it can hold tokens, or they would be lost in it. */
function askReceiver(from: Address, to: Address, tokenId: bigint, data: Hex): void {
  if (codeSize(to) === 0n) return;
  let answer: Hex = "0x";
  try {
    answer = Receiver(to).onERC721Received(msg.sender, from, tokenId, data);
  } catch (thrown) {
    // Its own reason is the better one; without one, and for an answer that is no answer, ours.
    if (isCallError(thrown) && thrown.payload !== "0x") throw thrown;
  }
  if (answer !== RECEIVED) throw InvalidReceiver({ receiver: to });
}
