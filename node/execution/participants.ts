/** Who took part in the transactions of a block. See specs/node/address-index.md#who-takes-part. */
import { type Address, type Hash, type Hex, utf8ToBytes, ZERO_ADDRESS } from "../../primitives/bytes.ts";
import { keccak256Hex } from "../../primitives/hash.ts";
import type { ExecutedReceipt, Log } from "../../vm/block.ts";
import type { RecoveredTransaction } from "../../vm/transaction.ts";
import type { Blocks } from "../storage/blocks.ts";
import type { AttendedBlock } from "./address-index.ts";

const topicOf = (event: string): Hash => keccak256Hex(utf8ToBytes(event));
/** Events of token standards, and at which topic the holder that gives stands; the one that gets follows it. */
const HOLDER_TOPICS: ReadonlyMap<Hash, number> = new Map([
  // ERC-20 and ERC-721.
  [topicOf("Transfer(address,address,uint256)"), 1],
  // ERC-1155: the operator comes first.
  [topicOf("TransferSingle(address,address,address,uint256,uint256)"), 2],
  [topicOf("TransferBatch(address,address,address,uint256[],uint256[])"), 2],
]);
/** Of an address in a topic: `0x` and twelve zero bytes. */
const ADDRESS_PADDING = `0x${"0".repeat(24)}`;

/** What the index takes of a canonical block. */
export function attendedBlock(blocks: Blocks, number: number): AttendedBlock {
  return { number, participants: participantsOf(blocks, number) };
}

/** For each transaction of a canonical block; empty when the block is not kept. */
export function participantsOf(blocks: Blocks, number: number): readonly ReadonlySet<Address>[] {
  const hash = blocks.canonicalHash(number);
  const block = hash === undefined ? undefined : blocks.get(hash);
  if (hash === undefined || block === undefined) return [];
  const receipts = blocks.receipts(hash) ?? [];
  const inner = blocks.innerParticipants(hash);
  return block.transactions.map((transaction, index) => {
    const found = directParticipants(transaction, receipts[index]);
    for (const address of inner[index] ?? []) found.add(address);
    return found;
  });
}

function directParticipants(
  { sender, transaction: { to } }: RecoveredTransaction,
  receipt: ExecutedReceipt | undefined,
): Set<Address> {
  const found = new Set<Address>([sender]);
  if (to !== undefined) found.add(to);
  if (receipt?.contractAddress !== undefined) found.add(receipt.contractAddress);
  for (const log of receipt?.logs ?? []) for (const holder of holdersIn(log)) found.add(holder);
  return found;
}

/** Who gave and who got a token; minting and burning name nobody on one side. */
function holdersIn({ topics }: Log): readonly Address[] {
  const [event] = topics;
  const first = event === undefined ? undefined : HOLDER_TOPICS.get(event);
  return first === undefined ? [] : topics.slice(first, first + 2).flatMap(holderIn);
}

function holderIn(topic: Hex): readonly Address[] {
  const address: Address = `0x${topic.slice(ADDRESS_PADDING.length)}`;
  return topic.startsWith(ADDRESS_PADDING) && address !== ZERO_ADDRESS ? [address] : [];
}
