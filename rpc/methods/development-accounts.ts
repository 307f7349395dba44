/** Sending for accounts whose keys the development chain has, or does without. See specs/rpc/development.md#accounts. */
import type { Address } from "../../primitives/bytes.ts";
import type { UnsignedTransaction } from "../../vm/transaction-codec.ts";
import { type CallParameter, callParameter, checkCall } from "../call-request.ts";
import type { ChainView } from "../chain-view.ts";
import type { DevelopmentChain } from "../development-chain.ts";
import { suggestTip } from "../fee-oracle.ts";
import { type Method, method } from "../method.ts";
import { callError } from "../revert-reason.ts";
import { serverError } from "../rpc-errors.ts";
import { address, asJson, hash, listOf } from "../schema.ts";

const ACCOUNTS_LIMIT = 1000;

export function accountMethods(chain: DevelopmentChain): readonly Method[] {
  return [
    method({
      name: "eth_accounts",
      summary: "The accounts this chain has the keys of.",
      params: {},
      result: listOf(address, ACCOUNTS_LIMIT),
      handle: () => chain.accounts(),
    }),
    method({
      name: "eth_sendTransaction",
      summary: "Sends for one of those accounts, or an impersonated one; what is left out is filled in.",
      params: { transaction: callParameter },
      result: hash,
      async handle(context, { transaction }) {
        checkCall(transaction, context.chain.chainId);
        if (!chain.accounts().includes(transaction.from)) throw serverError("unknown account");
        return chain.send(transaction.from, await fillIn(context.chain, transaction));
      },
    }),
    ...["anvil", "hardhat"].flatMap((tool) => [
      impersonation(`${tool}_impersonateAccount`, "Sends for an account without its key.", (account) =>
        chain.impersonate(account),
      ),
      impersonation(`${tool}_stopImpersonatingAccount`, "Ends that.", (account) =>
        chain.stopImpersonating(account),
      ),
    ]),
  ];
}

function impersonation(name: string, summary: string, act: (account: Address) => void): Method {
  return method({
    name,
    summary,
    params: { address },
    result: asJson<null>("null"),
    handle(_context, params) {
      act(params.address);
      return null;
    },
  });
}

/** @throws RpcError when the gas is to be estimated and the transaction would fail. */
async function fillIn(chain: ChainView, request: CallParameter): Promise<UnsignedTransaction> {
  const { from, to, value, data, accessList, gasPrice } = request;
  const gasLimit = request.gas ?? (await estimate(chain, request));
  const nonce = request.nonce ?? chain.pendingNonce(from);
  const fields = { chainId: BigInt(chain.chainId), nonce, gasLimit, to, value, data };
  if (gasPrice !== undefined) {
    return accessList.length === 0
      ? { type: 0, ...fields, gasPrice }
      : { type: 1, ...fields, gasPrice, accessList };
  }
  const { maxFeePerGas, maxPriorityFeePerGas } = feesOf(chain, request);
  return { type: 2, ...fields, maxFeePerGas, maxPriorityFeePerGas, accessList };
}

/** Room for the base fee to double, as libraries leave. */
function feesOf(chain: ChainView, request: CallParameter) {
  const cap = request.maxFeePerGas;
  const suggested = suggestTip(chain);
  const tip = request.maxPriorityFeePerGas ?? (cap !== undefined && cap < suggested ? cap : suggested);
  return { maxFeePerGas: cap ?? 2n * chain.nextBaseFee() + tip, maxPriorityFeePerGas: tip };
}

async function estimate(chain: ChainView, request: CallParameter): Promise<bigint> {
  const estimated = await chain.estimateGas(request, chain.head(), new Map());
  if ("failed" in estimated) throw callError(estimated.failed);
  return estimated.gas;
}
