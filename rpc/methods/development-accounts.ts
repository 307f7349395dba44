/** Sending for accounts whose keys the development chain has, or does without. See specs/rpc/development.md#accounts. */
import type { Address } from "../../primitives/bytes.ts";
import { callParameter, checkCall } from "../call-request.ts";
import type { DevelopmentChain } from "../development-chain.ts";
import { type Method, method } from "../method.ts";
import { serverError } from "../rpc-errors.ts";
import { address, asJson, hash, listOf } from "../schema.ts";
import { fillIn } from "./fill-transaction.ts";

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
    result: asJson<null>("null", { type: "null" }),
    handle(_context, params) {
      act(params.address);
      return null;
    },
  });
}
