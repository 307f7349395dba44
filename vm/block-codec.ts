/** Bytes of whole blocks, as `debug_getRawBlock` and block files have them. See specs/vm/block.md#encoding. */
import { decodeRlp, encodeRlp, type RlpItem } from "../primitives/rlp.ts";
import type { Header, Withdrawal } from "./block.ts";
import { withdrawalItem } from "./block-roots.ts";
import { headerItem, readHeader } from "./header.ts";
import { readAddress, readBytes, readInteger, readList } from "./rlp-fields.ts";

/** A block whose transactions are still bytes. */
export type RawBlock = {
  readonly header: Header;
  /** EIP-2718 encodings, of any type. */
  readonly transactions: readonly Uint8Array[];
  readonly ommers: readonly Header[];
  /** Undefined before EIP-4895. */
  readonly withdrawals: readonly Withdrawal[] | undefined;
};

export function encodeBlock(block: RawBlock): Uint8Array {
  const { header, transactions, ommers, withdrawals } = block;
  return encodeRlp([
    headerItem(header),
    transactions.map(transactionItem),
    ommers.map(headerItem),
    ...(withdrawals === undefined ? [] : [withdrawals.map(withdrawalItem)]),
  ]);
}

/** A legacy transaction stands in the list as the list it is, a typed one as a byte string. */
function transactionItem(raw: Uint8Array): RlpItem {
  return (raw[0] ?? 0) >= 0xc0 ? decodeRlp(raw) : raw;
}

/**
 * Decodes one block that fills `bytes`; transactions are not looked into.
 * @throws RlpError or FieldError
 */
export function decodeBlock(bytes: Uint8Array): RawBlock {
  const [header, transactions, ommers, withdrawals] = readList(decodeRlp(bytes), "block", 3, 4);
  return {
    header: readHeader(header),
    transactions: readList(transactions, "transactions").map((item) =>
      item instanceof Uint8Array ? readBytes(item, "transaction") : encodeRlp(item),
    ),
    ommers: readList(ommers, "ommers").map(readHeader),
    withdrawals:
      withdrawals === undefined ? undefined : readList(withdrawals, "withdrawals").map(readWithdrawal),
  };
}

function readWithdrawal(item: RlpItem): Withdrawal {
  const [index, validatorIndex, address, amount] = readList(item, "withdrawal", 4, 4);
  return {
    index: readInteger(index, "index", 8),
    validatorIndex: readInteger(validatorIndex, "validatorIndex", 8),
    address: readAddress(address, "address"),
    amountGwei: readInteger(amount, "amount", 8),
  };
}
