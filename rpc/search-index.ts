/** What the index by account knows of blocks whose states are gone. See specs/rpc/otterscan.md#searching. */
import type { Address, Hash } from "../primitives/bytes.ts";
import type { ChainView } from "./chain-view.ts";

export type Creation = { readonly hash: Hash; readonly creator: Address };

/** Pages asked for in one search: an account may get far more transactions than it sends. */
const PAGES_LIMIT = 1_000;
/** Transactions in which a contract may have taken part before it was there: somebody sent it value. */
const EARLY_LIMIT = 100;

/** Halves the blocks: of the sender's own transactions, later ones have higher nonces. */
export async function findNonceByIndex(
  chain: ChainView,
  sender: Address,
  nonce: bigint,
): Promise<Hash | undefined> {
  let low = chain.oldestBlock();
  let high = chain.head().header.number;
  let from = Math.floor((low + high) / 2);
  for (let pages = 0; low <= high && pages < PAGES_LIMIT; pages++) {
    const range = { address: sender, first: from, last: high, isForward: true, limit: 1 };
    const page = await chain.searchAddress(range);
    if (page === undefined) return undefined;
    const block = page.found[0] && chain.block({ hash: page.found[0].blockHash });
    const own = (block?.transactions ?? []).filter((one) => one.sender === sender);
    const used = own.find(({ transaction }) => transaction.nonce === nonce);
    if (used !== undefined) return used.hash;
    const [first] = own;
    if (block !== undefined && first === undefined) {
      // It only took part in that one: the next may be its own.
      from = block.header.number + 1;
      continue;
    }
    if (block !== undefined && first !== undefined && first.transaction.nonce < nonce) {
      low = block.header.number + 1;
    } else high = Math.floor((low + high) / 2) - 1;
    from = Math.floor((low + high) / 2);
  }
  return undefined;
}

/** Undefined unless a transaction created the contract itself. */
export async function findCreatorByIndex(chain: ChainView, contract: Address): Promise<Creation | undefined> {
  const range = { first: chain.oldestBlock(), last: chain.head().header.number };
  const page = await chain.searchAddress({
    ...{ ...range, address: contract, isForward: true, limit: EARLY_LIMIT },
  });
  for (const { blockHash, index } of page?.found ?? []) {
    if (chain.receipts(blockHash)?.[index]?.contractAddress !== contract) continue;
    const transaction = chain.block({ hash: blockHash })?.transactions[index];
    if (transaction !== undefined) return { hash: transaction.hash, creator: transaction.sender };
  }
  return undefined;
}
