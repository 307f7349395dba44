/** A contract call run here, in the metered engine, on state that is proven. See specs/light/witness.md#running. */
import type { Hash } from "../../primitives/bytes.ts";
import { type CallParameter, callParameter } from "../../rpc/call-request.ts";
import { executeCall } from "../../vm/call.ts";
import { BLOCK_HASHES_ADDRESS } from "../../vm/chain-config.ts";
import { EngineMachine } from "../../vm/contract/machine.ts";
import { checkBoot } from "../../vm/contract/std.ts";
import { createEngine } from "../../vm/engine/engine.ts";
import type { ContractMachine } from "../../vm/message.ts";
import { OUTCOME_TEXT } from "../../vm/outcome-text.ts";
import { historySlot } from "../../vm/record-call.ts";
import { type AskNode, readObject } from "./node-answers.ts";
import type { ProvenHeader } from "./proven-block.ts";
import { witnessState } from "./witness.ts";

/** The engine's files, from wherever: their hashes are constants of the protocol. */
export type EngineFiles = { readonly wasm: Uint8Array; readonly boot: Uint8Array };

/** @throws ImageError or StdError when the files are not the protocol's. */
export function openMachine({ wasm, boot }: EngineFiles): ContractMachine {
  checkBoot(boot);
  return new EngineMachine(createEngine({ wasm, boot }));
}

export type VerifiedCall = {
  /** `success`, `revert`, or the failure's text. */
  readonly outcome: string;
  readonly output: Uint8Array;
  readonly gasUsed: bigint;
  /** What the node says of the same call. */
  readonly reported: { readonly outcome: unknown; readonly output: unknown; readonly gasUsed: unknown };
};

/** Gas of a call that names none: what a block may use. Ours, not the node's: less could turn success into failure. */
const CALL_GAS = 30_000_000n;

export type VerifiedSite = {
  readonly ask: AskNode;
  readonly machine: ContractMachine;
  readonly chainId: number;
};

/**
 * Runs a call after a proven block. The node chooses no more than what it proves; its own result is handed on for
 * whoever wants to compare.
 *
 * @param transaction as of eth_call.
 * @throws LightError when the witness proves something else, or lacks what the call reads.
 * @throws InvalidTransactionError when the call may not even begin.
 */
export async function runVerified(
  { ask, machine, chainId }: VerifiedSite,
  { hash: blockHash, header }: ProvenHeader,
  transaction: CallParameter,
): Promise<VerifiedCall> {
  const request = { ...transaction, gas: transaction.gas ?? CALL_GAS };
  const answer = readObject(
    await ask("jurat_getWitness", [callParameter.write(request), { blockHash }]),
    "witness",
  );
  const state = witnessState(answer, header.stateRoot);
  const ancestorHash = (number: number): Hash =>
    `0x${state.storage(BLOCK_HASHES_ADDRESS, historySlot(number)).toString(16).padStart(64, "0")}`;
  const site = { chainId: BigInt(chainId), header, state, overrides: new Map(), machine, ancestorHash };
  const gasLimit = Number(request.gas < CALL_GAS ? request.gas : CALL_GAS);
  const { outcome, output, gasUsed } = executeCall(site, request, gasLimit);
  return {
    outcome: outcome === "success" || outcome === "revert" ? outcome : OUTCOME_TEXT[outcome],
    output,
    gasUsed: BigInt(gasUsed),
    reported: { outcome: answer["outcome"], output: answer["output"], gasUsed: answer["gasUsed"] },
  };
}
