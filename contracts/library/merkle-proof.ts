/** Proofs that something is in a list of which only the root is kept. See specs/contracts/library.md#merkle-proofs. */
import { concat, type Hex, keccak256 } from "chain:std";

/** Of the encoding of one entry: hashed twice, so that no inner node can be passed off as a leaf. */
export function merkleLeaf(encoded: Hex): Hex {
  return keccak256(keccak256(encoded));
}

/** Whether the leaf is in the tree with this root. Pairs are hashed in sorted order, so a proof needs no directions. */
export function isInTree(root: Hex, leaf: Hex, proof: readonly Hex[]): boolean {
  return proof.reduce(hashPair, leaf) === root;
}

function hashPair(a: Hex, b: Hex): Hex {
  // Hex of one length and one case sorts as the numbers do.
  return keccak256(a < b ? concat(a, b) : concat(b, a));
}
