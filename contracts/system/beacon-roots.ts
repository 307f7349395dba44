/** Roots of beacon blocks by the timestamp of the block that came after them (EIP-4788). See specs/contracts/system.md#beacon-roots. */
import { abi, address, array, block, contract, type Hex, msg, require, storage } from "chain:std";

const SYSTEM = address("0xfffffffffffffffffffffffffffffffffffffffe");
/** EIP-4788's HISTORY_BUFFER_LENGTH. */
const LENGTH = 8191n;

const history = storage({
  timestamps: array("uint256", 8191),
  roots: array("bytes32", 8191),
});

export default contract({
  name: "BeaconRoots",
  /** 32 bytes in, 32 bytes out, without a selector: the system sets a root, everybody else asks for one. */
  fallback: (data) => {
    require(data.length === 2 + 64, "expected 32 bytes");
    if (msg.sender === SYSTEM) return setRoot(data);
    return getRoot(BigInt(data));
  },
});

function setRoot(root: Hex): void {
  const index = block.timestamp % LENGTH;
  history.timestamps.set(index, block.timestamp);
  history.roots.set(index, root);
}

function getRoot(timestamp: bigint): Hex {
  const index = timestamp % LENGTH;
  require(timestamp !== 0n && history.timestamps.get(index) === timestamp, "no root for this timestamp");
  return abi.encode("bytes32", history.roots.get(index));
}
