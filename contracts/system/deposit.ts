/** The deposit contract: stake enters here, with Ethereum's ABI, events and Merkle tree. See specs/contracts/system.md#deposits. */
import {
  array,
  concat,
  contract,
  event,
  type Hex,
  msg,
  payable,
  require,
  sha256,
  storage,
  view,
} from "chain:std";

const GWEI = 10n ** 9n;
const ETHER = 10n ** 18n;
const TREE_DEPTH = 32;
const DEPOSIT_LIMIT = 2n ** 32n - 1n;
const ZERO_WORD: Hex = `0x${"00".repeat(32)}`;

/** Roots of empty subtrees, by height. */
const emptyRoots: Hex[] = [ZERO_WORD];
for (let height = 0; height < TREE_DEPTH; height++) emptyRoots.push(node(emptyAt(height), emptyAt(height)));

const tree = storage({
  /** At each height the root of the last whole subtree that waits for its neighbour. */
  branch: array("bytes32", 32),
  count: "uint256",
});

const DepositEvent = event(
  "DepositEvent(bytes pubkey, bytes withdrawal_credentials, bytes amount, bytes signature, bytes index)",
);

export default contract({
  name: "DepositContract",
  functions: {
    get_deposit_root: view("() returns (bytes32)", () => {
      let root = ZERO_WORD;
      let size = tree.count;
      for (let height = 0; height < TREE_DEPTH; height++) {
        const isOdd = size % 2n === 1n;
        root = isOdd ? node(tree.branch.get(BigInt(height)), root) : node(root, emptyAt(height));
        size /= 2n;
      }
      return sha256(concat(root, littleEndian(tree.count), `0x${"00".repeat(24)}`));
    }),

    get_deposit_count: view("() returns (bytes)", () => littleEndian(tree.count)),

    deposit: payable(
      "(bytes pubkey, bytes withdrawal_credentials, bytes signature, bytes32 deposit_data_root)",
      (pubkey, credentials, signature, dataRoot) => {
        require(isLong(pubkey, 48), "DepositContract: invalid pubkey length");
        require(isLong(credentials, 32), "DepositContract: invalid withdrawal_credentials length");
        require(isLong(signature, 96), "DepositContract: invalid signature length");
        require(msg.value >= ETHER, "DepositContract: deposit value too low");
        require(msg.value % GWEI === 0n, "DepositContract: deposit value not multiple of gwei");
        const amountGwei = msg.value / GWEI;
        require(amountGwei < 2n ** 64n, "DepositContract: deposit value too high");

        const amount = littleEndian(amountGwei);
        const root = depositDataRoot(pubkey, credentials, amount, signature);
        require(root ===
          dataRoot, "DepositContract: reconstructed DepositData does not match supplied deposit_data_root");
        require(tree.count < DEPOSIT_LIMIT, "DepositContract: merkle tree full");
        const index = littleEndian(tree.count);
        DepositEvent({ pubkey, withdrawal_credentials: credentials, amount, signature, index });
        append(root);
      },
    ),

    supportsInterface: view(
      "(bytes4 interfaceId) returns (bool)",
      // ERC-165 itself, and the interface of this contract.
      (interfaceId) => interfaceId === "0x01ffc9a7" || interfaceId === "0x85640907",
    ),
  },
});

function emptyAt(height: number): Hex {
  return emptyRoots[height] ?? ZERO_WORD;
}

function node(left: Hex, right: Hex): Hex {
  return sha256(concat(left, right));
}

function isLong(data: Hex, bytes: number): boolean {
  return data.length === 2 + 2 * bytes;
}

/** SSZ's hash tree root of DepositData. */
function depositDataRoot(pubkey: Hex, credentials: Hex, amount: Hex, signature: Hex): Hex {
  const pubkeyRoot = sha256(concat(pubkey, `0x${"00".repeat(16)}`));
  const signatureRoot = node(
    sha256(`0x${signature.slice(2, 130)}`),
    sha256(concat(`0x${signature.slice(130)}`, ZERO_WORD)),
  );
  return node(node(pubkeyRoot, credentials), node(concat(amount, `0x${"00".repeat(24)}`), signatureRoot));
}

/** Carries the new leaf up through the subtrees it completes. */
function append(leaf: Hex): void {
  tree.count += 1n;
  let root = leaf;
  let size = tree.count;
  for (let height = 0; height < TREE_DEPTH; height++) {
    if (size % 2n === 1n) {
      tree.branch.set(BigInt(height), root);
      return;
    }
    root = node(tree.branch.get(BigInt(height)), root);
    size /= 2n;
  }
}

/** 8 bytes, as consensus writes integers. */
function littleEndian(value: bigint): Hex {
  const digits = value.toString(16).padStart(16, "0");
  return `0x${(digits.match(/../g) ?? []).reverse().join("")}`;
}
