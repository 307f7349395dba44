/** Spec of transactions: bytes, signature, and when one may be in a block. */
import { deepEqual, equal, throws } from "node:assert/strict";
import fc from "fast-check";
import { EMPTY_BYTES, fromHex, type Hash, toHash, toHex } from "../../primitives/bytes.ts";
import { decodeRlp, encodeRlp, type RlpItem } from "../../primitives/rlp.ts";
import { SECP256K1_ORDER } from "../../primitives/secp256k1.ts";
import { decodeBlock } from "../../vm/block-codec.ts";
import { EMPTY_CODE_HASH } from "../../vm/state/account-codec.ts";
import type { RecoveredTransaction, Transaction } from "../../vm/transaction.ts";
import {
  decodeTransaction,
  encodeTransaction,
  TransactionError,
  type TransactionErrorDetail,
  type UnsignedTransaction,
} from "../../vm/transaction-codec.ts";
import {
  checkBlockRules,
  checkSenderRules,
  checkStatelessRules,
  InvalidTransactionError,
} from "../../vm/transaction-rules.ts";
import { recoverTransaction, signTransaction } from "../../vm/transaction-signature.ts";
import { blockchainCases } from "../support/ethereum-tests.ts";
import { chainBlocks, exchangesOf } from "../support/execution-apis.ts";
import { accounts, config, keys, signed } from "../support/execution-chain.ts";

function refusal(raw: Uint8Array): TransactionErrorDetail {
  try {
    recoverTransaction(raw);
  } catch (error) {
    if (error instanceof TransactionError) return error.detail;
    throw error;
  }
  throw new Error("the transaction was accepted");
}

describe("transaction: external vectors", () => {
  it("gives back the bytes of every transaction in ethereum-tests, and finds a sender", function () {
    const byType = [0, 0, 0];
    for (const { blocks } of blockchainCases(this)) {
      for (const { rlp } of blocks) {
        for (const raw of decodeBlock(fromHex(rlp)).transactions) {
          const { transaction } = recoverTransaction(raw);
          deepEqual(encodeTransaction(transaction), raw);
          byType[transaction.type]!++;
        }
      }
    }
    deepEqual(byType, [437, 32, 576]);
  });

  it("finds hash and sender of every transaction execution-apis answers about; types 3 and 4 are refused", function () {
    const raws = new Map<Hash, Uint8Array>();
    for (const bytes of chainBlocks(this)) {
      for (const raw of decodeBlock(bytes).transactions) {
        const type = raw[0]!;
        if (type === 3 || type === 4)
          deepEqual(refusal(raw), { code: "TRANSACTION_TYPE_NOT_SUPPORTED", type });
        else raws.set(recoverTransaction(raw).hash, raw);
      }
    }
    let checked = 0;
    for (const method of [
      "eth_getTransactionByHash",
      "eth_getTransactionByBlockHashAndIndex",
      "eth_getTransactionByBlockNumberAndIndex",
    ]) {
      for (const { result } of exchangesOf(this, method)) {
        if (result === undefined || Number(result["type"]) > 2) continue;
        const { transaction, hash, sender } = recoverTransaction(
          raws.get(result["hash"] as unknown as Hash)!,
        );
        deepEqual(
          {
            hash,
            sender,
            to: transaction.to ?? null,
            nonce: transaction.nonce,
            gas: transaction.gasLimit,
            value: transaction.value,
            data: toHex(transaction.data),
            r: transaction.r,
            s: transaction.s,
          },
          {
            hash: result["hash"],
            sender: result["from"],
            to: result["to"],
            nonce: BigInt(result["nonce"]!),
            gas: BigInt(result["gas"]!),
            value: BigInt(result["value"]!),
            data: result["input"],
            r: BigInt(result["r"]!),
            s: BigInt(result["s"]!),
          },
        );
        checked++;
      }
    }
    equal(checked, 7);
  });

  it("has the hash eth_sendRawTransaction answers", function () {
    let checked = 0;
    for (const { params, result } of exchangesOf(this, "eth_sendRawTransaction")) {
      const raw = fromHex(params[0] as string);
      if (raw[0] === 3) continue;
      equal(recoverTransaction(raw).hash, result);
      checked++;
    }
    equal(checked, 4);
  });

  it("refuses every transaction that makes a block of InvalidBlocks invalid by itself, for that reason", function () {
    const reasons: Record<string, string> = {
      "TransactionException.PRIORITY_GREATER_THAN_MAX_FEE_PER_GAS": "TIP_ABOVE_FEE",
      "TransactionException.INTRINSIC_GAS_TOO_LOW": "INTRINSIC_GAS_TOO_LOW",
      "TransactionException.INSUFFICIENT_MAX_FEE_PER_GAS": "FEE_BELOW_BASE_FEE",
      "TransactionException.GAS_ALLOWANCE_EXCEEDED": "GAS_LIMIT_EXCEEDED",
    };
    const counted: Record<string, number> = {};
    for (const { blocks } of blockchainCases(this)) {
      for (const { rlp, expectException = "" } of blocks) {
        const code = reasons[expectException];
        if (code === undefined) continue;
        const { header, transactions } = decodeBlock(fromHex(rlp));
        const { transaction } = recoverTransaction(transactions.at(-1)!);
        throws(
          () => {
            // The vectors' chain id is 1; some of their transactions were signed before EIP-155.
            checkStatelessRules({ ...transaction, chainId: 1n }, 1n);
            checkBlockRules(transaction, header.baseFeePerGas!, header.gasLimit - header.gasUsed);
          },
          (error) => error instanceof InvalidTransactionError && error.detail.code === code,
          expectException,
        );
        counted[code] = (counted[code] ?? 0) + 1;
      }
    }
    deepEqual(counted, {
      TIP_ABOVE_FEE: 6,
      GAS_LIMIT_EXCEEDED: 2,
      FEE_BELOW_BASE_FEE: 3,
      INTRINSIC_GAS_TOO_LOW: 61,
    });
  });
});

describe("transaction: bytes and signature", () => {
  const amount = fc.bigInt({ min: 0n, max: 2n ** 256n - 1n });
  const address = fc.uint8Array({ minLength: 20, maxLength: 20 }).map(toHex);
  const fields = {
    nonce: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
    gasLimit: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
    to: fc.option(address, { nil: undefined }),
    value: amount,
    data: fc.uint8Array({ maxLength: 80 }),
  };
  const accessList = fc.array(
    fc.record(
      { address, storageKeys: fc.array(amount.map(toHash), { maxLength: 3 }) },
      { noNullPrototype: true },
    ),
    { maxLength: 3 },
  );
  const record = <T>(model: { [K in keyof T]: fc.Arbitrary<T[K]> }) =>
    fc.record(model, { noNullPrototype: true });
  const chainId = fc.bigInt({ min: 0n, max: 2n ** 64n });
  const unsigned: fc.Arbitrary<UnsignedTransaction> = fc.oneof(
    record({
      ...fields,
      type: fc.constant(0 as const),
      chainId: fc.option(chainId, { nil: undefined }),
      gasPrice: amount,
    }),
    record({ ...fields, type: fc.constant(1 as const), chainId, gasPrice: amount, accessList }),
    record({
      ...fields,
      type: fc.constant(2 as const),
      chainId,
      maxFeePerGas: amount,
      maxPriorityFeePerGas: amount,
      accessList,
    }),
  );

  it("gives back what was signed, from the bytes alone", () => {
    fc.assert(
      fc.property(unsigned, fc.nat(7), (value, key) => {
        const transaction = signTransaction(value, keys[key]!);
        deepEqual(recoverTransaction(transaction.raw), transaction);
        equal(transaction.sender, accounts[key]);
      }),
      { numRuns: 60 },
    );
  });

  it("never takes two byte strings for the same transaction, nor throws anything but a TransactionError", () => {
    const { raw } = signed(0);
    const mutation = fc.record({ at: fc.nat(raw.length - 1), byte: fc.nat(255) });
    fc.assert(
      fc.property(fc.array(mutation, { minLength: 1, maxLength: 3 }), fc.nat(3), (mutations, cut) => {
        const bytes = raw.slice(0, raw.length - cut);
        for (const { at, byte } of mutations) bytes[at] = byte;
        try {
          deepEqual(encodeTransaction(decodeTransaction(bytes)), bytes);
        } catch (error) {
          if (!(error instanceof TransactionError)) throw error;
        }
      }),
      { numRuns: 300 },
    );
  });

  const { raw, transaction } = signed(0, { value: 1n });
  const withFields = (change: (fields: RlpItem[]) => void) => {
    const list = [...(decodeRlp(raw.subarray(1)) as RlpItem[])];
    change(list);
    return Uint8Array.of(2, ...encodeRlp(list));
  };
  const malformed = (reason: string) => ({ code: "TRANSACTION_MALFORMED", reason }) as const;

  it("refuses trailing bytes and missing ones", () => {
    deepEqual(refusal(Uint8Array.of(...raw, 0)), malformed("RLP_TRAILING_BYTES"));
    deepEqual(refusal(raw.slice(0, -1)), malformed("RLP_TOO_SHORT"));
    deepEqual(refusal(EMPTY_BYTES), malformed("empty"));
  });

  it("refuses more than 128 KiB before looking at them", () => {
    deepEqual(refusal(new Uint8Array(131_073)), {
      code: "TRANSACTION_TOO_LARGE",
      size: 131_073,
      limit: 131_072,
    });
    deepEqual(refusal(new Uint8Array(131_072).fill(0xc0)), malformed("RLP_TRAILING_BYTES"));
  });

  it("refuses fields that are not what they should be, by name", () => {
    deepEqual(
      refusal(
        withFields((list) => {
          list[1] = Uint8Array.of(0);
        }),
      ),
      malformed("FIELD_LEADING_ZERO nonce"),
    );
    deepEqual(
      refusal(
        withFields((list) => {
          list[4] = new Uint8Array(9).fill(1);
        }),
      ),
      malformed("FIELD_TOO_LARGE gasLimit"),
    );
    deepEqual(
      refusal(
        withFields((list) => {
          list[5] = new Uint8Array(19).fill(1);
        }),
      ),
      malformed("FIELD_LENGTH to"),
    );
    deepEqual(
      refusal(
        withFields((list) => {
          list[7] = [];
        }),
      ),
      malformed("FIELD_NOT_BYTES data"),
    );
    deepEqual(
      refusal(
        withFields((list) => {
          list[8] = EMPTY_BYTES;
        }),
      ),
      malformed("FIELD_NOT_LIST accessList"),
    );
    deepEqual(
      refusal(
        withFields((list) => {
          list.pop();
        }),
      ),
      malformed("FIELD_COUNT transaction"),
    );
  });

  it("refuses a signature out of range, a high s and a y parity above 1", () => {
    const invalid = (reason: string) => ({ code: "TRANSACTION_SIGNATURE_INVALID", reason }) as const;
    const altered = (fields: Partial<Transaction>) =>
      refusal(encodeTransaction({ ...transaction, ...fields } as Transaction));
    const highS: Partial<Transaction> = {
      s: SECP256K1_ORDER - transaction.s,
      yParity: transaction.yParity === 0 ? 1 : 0,
    };
    deepEqual(altered(highS), invalid("s is above n/2"));
    for (const fields of [{ r: 0n }, { s: 0n }, { r: SECP256K1_ORDER }]) {
      deepEqual(altered(fields), invalid("no key fits"));
    }
    deepEqual(
      refusal(
        withFields((list) => {
          list[9] = Uint8Array.of(2);
        }),
      ),
      invalid("yParity is 2"),
    );
    const legacy = [1n, 1n, 21_000n, 0n, 0n, 0n, 34n, 1n, 1n].map((n) =>
      n === 0n ? EMPTY_BYTES : fromHex(toHash(n)).subarray(n > 255n ? 30 : 31),
    );
    deepEqual(refusal(encodeRlp(legacy)), invalid("v is 34"));
  });

  it("refuses types it does not know", () => {
    for (const type of [0, 3, 4, 5, 0x7f, 0x80, 0xbf]) {
      deepEqual(refusal(Uint8Array.of(type, 0xc0)), { code: "TRANSACTION_TYPE_NOT_SUPPORTED", type });
    }
  });
});

describe("transaction: validity", () => {
  const account = { nonce: 3n, balance: 10n ** 18n, codeHash: EMPTY_CODE_HASH };
  const check =
    (recovered: RecoveredTransaction, sender = account) =>
    () => {
      checkStatelessRules(recovered.transaction, config.chainId);
      checkBlockRules(recovered.transaction, 10n ** 9n, 30_000_000n);
      checkSenderRules(recovered, sender);
    };
  const valid = { nonce: 3n };

  it("accepts one that keeps every rule", () => {
    check(signed(0, valid))();
  });

  it("refuses each broken rule with its code and values", () => {
    const legacy = (chainId: bigint | undefined) =>
      signTransaction(
        {
          type: 0,
          chainId,
          nonce: 3n,
          gasPrice: 10n ** 9n,
          gasLimit: 21_000n,
          to: accounts[1],
          value: 0n,
          data: EMPTY_BYTES,
        },
        keys[0]!,
      );
    throws(check(legacy(undefined)), { detail: { code: "NOT_REPLAY_PROTECTED" } });
    throws(check(legacy(1n)), { detail: { code: "WRONG_CHAIN_ID", expected: 4242n, actual: 1n } });
    throws(check(signed(0, { ...valid, chainId: 5n })), {
      detail: { code: "WRONG_CHAIN_ID", expected: 4242n, actual: 5n },
    });
    throws(check(signed(0, { nonce: 2n })), { detail: { code: "NONCE_TOO_LOW", nonce: 2n, expected: 3n } });
    throws(check(signed(0, { nonce: 4n })), { detail: { code: "NONCE_TOO_HIGH", nonce: 4n, expected: 3n } });
    throws(check(signed(0, { nonce: 2n ** 64n - 1n })), { detail: { code: "NONCE_MAX" } });
    throws(check(signed(0, { ...valid, maxFeePerGas: 1n, maxPriorityFeePerGas: 2n })), {
      detail: { code: "TIP_ABOVE_FEE", tip: 2n, fee: 1n },
    });
    throws(check(signed(0, { ...valid, maxFeePerGas: 2n, maxPriorityFeePerGas: 2n })), {
      detail: { code: "FEE_BELOW_BASE_FEE", fee: 2n, baseFee: 10n ** 9n },
    });
    throws(check(signed(0, { ...valid, gasLimit: 20_999n })), {
      detail: { code: "INTRINSIC_GAS_TOO_LOW", gasLimit: 20_999n, required: 21_000n },
    });
    throws(check(signed(0, { ...valid, gasLimit: 30_000_001n })), {
      detail: { code: "GAS_LIMIT_EXCEEDED", gasLimit: 30_000_001n, available: 30_000_000n },
    });
    throws(
      check(signed(0, { ...valid, to: undefined, data: new Uint8Array(98_305), gasLimit: 10_000_000n })),
      {
        detail: { code: "INIT_CODE_TOO_LARGE", size: 98_305, limit: 98_304 },
      },
    );
    const required = 21_000n * 10n ** 10n;
    throws(check(signed(0, valid), { ...account, balance: required - 1n }), {
      detail: { code: "INSUFFICIENT_FUNDS", balance: required - 1n, required },
    });
    throws(check(signed(0, valid), { ...account, codeHash: toHash(1n) }), {
      detail: { code: "SENDER_HAS_CODE", sender: accounts[0] },
    });
  });
});
