/** Bounds of what an operator may put into blocks: the flags and the keymanager API share them. */

/** Bytes of the graffiti field of a block. */
export const GRAFFITI_LIMIT_BYTES = 32;
/** Gas: what operators may aim at; the chain's own rule is how far a block may move (specs/vm/block.md). */
export const MIN_GAS_LIMIT = 5_000_000;
export const MAX_GAS_LIMIT = 2 ** 40;
