/** Which transaction changed an account, found by looking at ever fewer blocks. See specs/rpc/otterscan.md#searching. */
import type { Address, Hash } from "../primitives/bytes.ts";
import type { Block } from "../vm/block.ts";
import type { Account } from "../vm/state/account.ts";
import { EMPTY_CODE_HASH } from "../vm/state/account-codec.ts";
import type { CallFrame } from "../vm/tracing/trace.ts";
import type { ChainView } from "./chain-view.ts";
import { type Creation, findCreatorByIndex, findNonceByIndex } from "./search-index.ts";
import { topFrames } from "./top-frame.ts";

/** Undefined when there is none in the blocks whose states are kept, nor in the index by account. */
export async function findBySenderAndNonce(
  chain: ChainView,
  sender: Address,
  nonce: bigint,
): Promise<Hash | undefined> {
  const isUsed = (account: Account | undefined) => (account?.nonce ?? 0n) > nonce;
  if (!isUsed(chain.stateAt(chain.head().hash)?.account(sender))) return undefined;
  const block = firstBlockWhere(chain, sender, isUsed);
  if (block === undefined) return findNonceByIndex(chain, sender, nonce);
  const used = block.transactions.find((one) => one.sender === sender && one.transaction.nonce === nonce);
  return used?.hash;
}

/**
 * Undefined for what is no contract and for those of genesis. One that is older than the states kept is found by
 * the index, when a transaction created it itself: who created it within a call cannot be seen any more.
 */
export async function findCreator(chain: ChainView, contract: Address): Promise<Creation | undefined> {
  const block = firstBlockWhere(
    chain,
    contract,
    (account) => account !== undefined && account.codeHash !== EMPTY_CODE_HASH,
  );
  if (block === undefined) return findCreatorByIndex(chain, contract);
  if (block.header.number === 0) return undefined;
  const frames = await topFrames(chain, block);
  for (const [index, frame] of frames.entries()) {
    const creator = creatorIn(frame, contract);
    const hash = block.transactions[index]?.hash;
    if (creator !== undefined && hash !== undefined) return { hash, creator };
  }
  return undefined;
}

function creatorIn(frame: CallFrame, contract: Address): Address | undefined {
  const { type, from, to, outcome, calls } = frame;
  if (outcome !== "success") return undefined;
  if ((type === "CREATE" || type === "CREATE2") && to === contract) return from;
  for (const call of calls) {
    const creator = creatorIn(call, contract);
    if (creator !== undefined) return creator;
  }
  return undefined;
}

/**
 * The block after which something became true of an account that stays true from then on.
 * Undefined when it is not true at the head, or was before the oldest state kept.
 *
 * Cost: a read of the account for each halving of the blocks.
 */
function firstBlockWhere(
  chain: ChainView,
  address: Address,
  holds: (account: Account | undefined) => boolean,
): Block | undefined {
  const holdsAt = (number: number): boolean => {
    const block = chain.block({ number });
    const state = block === undefined ? undefined : chain.stateAt(block.hash);
    return state !== undefined && holds(state.account(address));
  };
  let after = chain.head().header.number;
  let before = chain.oldestState();
  if (!holdsAt(after) || holdsAt(before)) return undefined;
  while (after - before > 1) {
    const middle = Math.floor((before + after) / 2);
    if (holdsAt(middle)) after = middle;
    else before = middle;
  }
  return chain.block({ number: after });
}
