import { deepEqual } from "node:assert/strict";
import fc from "fast-check";
import type { ExecutionRequests } from "../../consensus/payload-containers.ts";
import { DEVNET_PARAMS } from "../../consensus/presets.ts";
import {
  blockOfPayload,
  decodeRequests,
  encodeRequests,
  payloadOfBlock,
} from "../../node/execution/payload.ts";
import { computeRequestsHash, computeTransactionsRoot } from "../../vm/block-roots.ts";
import { headerHash } from "../../vm/header.ts";
import { recoverTransaction } from "../../vm/transaction-signature.ts";
import { ExecutionChain, signed } from "../support/execution-chain.ts";

const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
const gwei = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
const options = { noNullPrototype: true };

const someRequests: fc.Arbitrary<ExecutionRequests> = fc.record(
  {
    deposits: fc.array(
      fc.record(
        {
          pubkey: bytes(48),
          withdrawalCredentials: bytes(32),
          amount: gwei,
          signature: bytes(96),
          index: fc.nat(),
        },
        options,
      ),
      { maxLength: 3 },
    ),
    withdrawals: fc.array(
      fc.record({ sourceAddress: bytes(20), validatorPubkey: bytes(48), amount: gwei }, options),
      { maxLength: 3 },
    ),
  },
  options,
);

describe("payloads", () => {
  it("carry requests through the bytes that the requests hash commits to", () => {
    fc.assert(
      fc.property(someRequests, (requests) => {
        const encoded = encodeRequests(requests, DEVNET_PARAMS);
        deepEqual(decodeRequests(encoded, DEVNET_PARAMS), requests);
        // A list without members is no request (EIP-7685).
        const lists = [requests.deposits, requests.withdrawals];
        deepEqual(
          encoded.map(([type]) => type),
          [0, 1].filter((type) => lists[type]!.length > 0),
        );
      }),
    );
  });

  it("and blocks are the same thing in two shapes", () => {
    fc.assert(
      fc.property(someRequests, fc.nat({ max: 4 }), gwei, (requests, count, amountGwei) => {
        const transactions = Array.from({ length: count }, (_, nonce) => signed(0, { nonce: BigInt(nonce) }));
        const withdrawal = { index: 1n, validatorIndex: 2n, address: signed(1).sender, amountGwei };
        const { block: built } = new ExecutionChain().build([], { withdrawals: [withdrawal] });
        const header = {
          ...built.header,
          transactionsRoot: computeTransactionsRoot(transactions.map(({ raw }) => raw)),
          requestsHash: computeRequestsHash(encodeRequests(requests, DEVNET_PARAMS)),
        };
        const block = { ...built, hash: headerHash(header), header, transactions };
        const payload = payloadOfBlock(block);
        const parentBeaconBlockRoot = header.parentBeaconBlockRoot!;
        deepEqual(
          blockOfPayload({ payload, requests, parentBeaconBlockRoot }, DEVNET_PARAMS, recoverTransaction),
          block,
        );
      }),
      { numRuns: 10 },
    );
  });
});
