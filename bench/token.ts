/** How fast contracts run: transfers of the example token, from the snapshot and as whole blocks. */
import { encodeDeployData, encodeFunctionData } from "viem";
import { openContractMachine } from "../node/execution/open-machine.ts";
import { type Address, EMPTY_BYTES, fromHex, toHash } from "../primitives/bytes.ts";
import { assert } from "../primitives/errors.ts";
import { config, ETHER, GWEI } from "../specs/support/execution-chain.ts";
import { MemoryState } from "../specs/support/memory-state.ts";
import { applyTransaction, beginBlock, finishBlock } from "../vm/block-execution.ts";
import { runMessage } from "../vm/execute-transaction.ts";
import { medianSeconds } from "./median.ts";
import { buildToken } from "./token-artifact.ts";
import { DEPLOYER, opening, transaction } from "./unsigned-transactions.ts";

const HOLDERS = 500;
const holder = (n: number): Address => `0x${(0xdef000 + n).toString(16).padStart(40, "0")}`;

export type TokenBench = {
  /** Calls per second without transaction, block or root. */
  readonly callsPerSecond: number;
  readonly blockTransfersPerSecond: number;
  readonly gasNewHolder: number;
  readonly gasKnownHolder: number;
};

export async function benchToken(count = 5_000): Promise<TokenBench> {
  const { abi, bytecode } = await buildToken();
  const creation = fromHex(encodeDeployData({ abi, bytecode, args: ["Token", "TKN", 10n ** 24n] }));
  const transferTo = (n: number) =>
    fromHex(encodeFunctionData({ abi, functionName: "transfer", args: [holder(n), 1n] }));
  const calls = Array.from({ length: HOLDERS }, (_, n) => transferTo(n));

  const machine = openContractMachine();
  const state = MemoryState.of(new Map([[DEPLOYER, { balance: 10n ** 6n * ETHER }]]));
  const begin = () => beginBlock(config, opening(), state, machine, () => toHash(0n));
  const setUp = begin();
  const { succeeded, contractAddress: token } = applyTransaction(setUp, transaction(0, undefined, creation));
  assert(succeeded && token !== undefined, "the token deploys");
  const gasOf = (nonce: number) =>
    Number(applyTransaction(setUp, transaction(nonce, token, calls[0])).gasUsed);
  const [gasNewHolder, gasKnownHolder] = [gasOf(1), gasOf(2)];

  const { journal, block } = setUp.context;
  const callSeconds = medianSeconds(() => {
    for (let i = 0; i < count; i++) {
      journal.beginTransaction();
      const data = calls[i % HOLDERS] ?? EMPTY_BYTES;
      const message = {
        sender: DEPLOYER,
        to: token,
        value: 0n,
        data,
        gas: 1_000_000,
        gasPrice: GWEI,
        accessList: [],
      };
      const { outcome } = runMessage({ block, journal, machine }, message);
      assert(outcome === "success", "a transfer succeeds");
    }
  });
  const blockSeconds = medianSeconds(() => {
    const execution = begin();
    applyTransaction(execution, transaction(0, undefined, creation));
    for (let i = 0; i < count; i++)
      applyTransaction(execution, transaction(i + 1, token, calls[i % HOLDERS]));
    finishBlock(execution, []);
  });
  return {
    callsPerSecond: count / callSeconds,
    blockTransfersPerSecond: count / blockSeconds,
    gasNewHolder,
    gasKnownHolder,
  };
}
