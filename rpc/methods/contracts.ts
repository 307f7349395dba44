/** jurat_getContract: a contract as its code describes it. See specs/rpc/methods.md#jurat_getcontract. */
import { EMPTY_BYTES } from "../../primitives/bytes.ts";
import type { ContractDescription } from "../../vm/message.ts";
import { EMPTY_CODE_HASH } from "../../vm/state/account-codec.ts";
import { blockParameter, requireState } from "../block-parameter.ts";
import { arrayOf, type JsonSchema, orNull, record } from "../json-schema.ts";
import { method } from "../method.ts";
import { address, asJson } from "../schema.ts";

const DESCRIPTION: JsonSchema = record({
  name: { type: "string" },
  source: { type: "string" },
  isUpgradeable: { type: "boolean" },
  abi: arrayOf({ type: "object" }),
  storageLayout: { type: "object" },
});

export const getContract = method({
  name: "jurat_getContract",
  summary: "Name, source, ABI and storage layout of the contract at an address; null where there is none.",
  params: { address, block: blockParameter },
  result: asJson<ContractDescription | null>("a description of the contract, or null", orNull(DESCRIPTION)),
  async handle({ chain }, { address: at, block }) {
    const state = requireState(chain, block);
    const { codeHash } = state.account(at) ?? { codeHash: EMPTY_CODE_HASH };
    const code = codeHash === EMPTY_CODE_HASH ? EMPTY_BYTES : (state.code(codeHash) ?? EMPTY_BYTES);
    return code.length === 0 ? null : ((await chain.describeContract(code)) ?? null);
  },
});
