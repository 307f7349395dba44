/** Transactions an account took part in, a page at a time. See specs/node/address-index.md#searching. */
import { assert } from "../../primitives/errors.ts";
import type { AddressPage, AddressSearch } from "../../rpc/chain-view.ts";
import type { Blocks, TransactionLocation } from "../storage/blocks.ts";
import type { AddressIndex, Attendance } from "./address-index.ts";
import { participantsOf } from "./participants.ts";

/** Newest first, whole blocks until there are `limit`. Blocks above the index are looked at one by one. */
export function searchAddress(blocks: Blocks, index: AddressIndex, search: AddressSearch): AddressPage {
  const { limit, isForward } = search;
  const found: TransactionLocation[] = [];
  let hasMore = false;
  for (const { number, indices } of attendances(blocks, index, search)) {
    if (found.length >= limit) {
      hasMore = true;
      break;
    }
    const blockHash = blocks.canonicalHash(number);
    assert(blockHash !== undefined, "what is indexed is canonical");
    const ordered = isForward ? indices : [...indices].reverse();
    found.push(...ordered.map((at) => ({ blockHash, index: at })));
  }
  return { found: isForward ? found.reverse() : found, hasMore };
}

/** In the direction of the search. */
function* attendances(blocks: Blocks, index: AddressIndex, search: AddressSearch): Iterable<Attendance> {
  const { address, first, last, isForward } = search;
  const indexedTo = Math.min(last, index.indexedTo());
  if (isForward) yield* index.attendances(address, first, indexedTo, false);
  const above = Math.max(first, indexedTo + 1);
  for (let step = 0; above + step <= last; step++) {
    const number = isForward ? above + step : last - step;
    const indices = [...participantsOf(blocks, number).entries()].flatMap(([at, participants]) =>
      participants.has(address) ? [at] : [],
    );
    if (indices.length > 0) yield { number, indices };
  }
  if (!isForward) yield* index.attendances(address, first, indexedTo, true);
}
