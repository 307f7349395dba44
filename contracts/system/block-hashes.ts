/** Hashes of the last 8 191 blocks (EIP-2935). See specs/contracts/system.md#block-hashes. */
import { abi, address, array, block, contract, type Hex, msg, require, storage } from "chain:std";

const SYSTEM = address("0xfffffffffffffffffffffffffffffffffffffffe");
/** EIP-2935's HISTORY_SERVE_WINDOW. */
const WINDOW = 8191n;

const history = storage({ hashes: array("bytes32", 8191) });

export default contract({
  name: "BlockHashes",
  /** 32 bytes in, 32 bytes out, without a selector: the system sets its parent's hash, everybody else asks by number. */
  fallback: (data) => {
    require(data.length === 2 + 64, "expected 32 bytes");
    if (msg.sender === SYSTEM) return setParentHash(data);
    return getHash(BigInt(data));
  },
});

function setParentHash(hash: Hex): void {
  history.hashes.set((block.number - 1n) % WINDOW, hash);
}

function getHash(number: bigint): Hex {
  require(number < block.number && number + WINDOW >= block.number, "no hash for this number");
  return abi.encode("bytes32", history.hashes.get(number % WINDOW));
}
