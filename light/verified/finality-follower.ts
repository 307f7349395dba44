/** Follows finality from a checkpoint on: the newest final block, proven, and what to trust next. See specs/light/verified.md#following. */
import { equalBytes, fromHex, type Hash, toHex } from "../../primitives/bytes.ts";
import type { FinalizedBlock, TrustedSet } from "../light-client.ts";
import { verifyFinalizedBlock, verifySetChange } from "../light-client.ts";
import { LightError } from "../light-error.ts";
import { validatorSetRoot } from "../validator-set.ts";
import { decodeFinalizedBlock, decodeSetProof, decodeValidatorSet } from "../wire.ts";
import { type AskNode, readObject } from "./node-answers.ts";
import { fetchHeader, type ProvenHeader } from "./proven-block.ts";

/** What a client believes without proof; everything else follows from it. */
export type Checkpoint = {
  /** Root of a validator set, from somebody the user trusts. */
  readonly root: Hash;
  /** Period of that set; left out, it is the node's newest. */
  readonly period?: number;
  readonly chainId: number;
};

export type FinalityFollower = {
  /** Asks for the newest final block and proves it. Never goes back. @throws LightError */
  advance(): Promise<ProvenHeader>;
  /** The newest that was proven so far, or that of `advance` when there is none yet. */
  latest(): Promise<ProvenHeader>;
  /** To go on from later: as good as the checkpoint this began with. */
  checkpoint(): Checkpoint;
};

export function followFinality(ask: AskNode, start: Checkpoint): FinalityFollower {
  let trusted: TrustedSet | undefined;
  let newest: { readonly slot: number; readonly header: ProvenHeader } | undefined;

  async function firstSet(): Promise<TrustedSet> {
    const answer = readObject(await ask("jurat_getValidatorSet", periodParams(start.period)), "answer");
    const set = decodeValidatorSet(answer["set"]);
    const root = validatorSetRoot(set);
    if (!equalBytes(root, fromHex(start.root))) {
      throw new LightError({ code: "LIGHT_OTHER_VALIDATOR_SET", expected: start.root, actual: toHex(root) });
    }
    return { set, root };
  }

  async function advance(): Promise<ProvenHeader> {
    trusted ??= await firstSet();
    const answer = await ask("jurat_getFinalizedBlock", periodParams(trusted.set.period));
    const block = decodeFinalizedBlock(answer);
    if (newest !== undefined && block.header.slot <= newest.slot) return newest.header;
    if (Math.floor(block.header.slot / trusted.set.periodSlots) > trusted.set.period) {
      return changeSet(trusted);
    }
    verifyFinalizedBlock(block, trusted.set, trusted.root);
    return keep(block);
  }

  /** Into a later period: the block comes with its set, proven by the one before. */
  async function changeSet(before: TrustedSet): Promise<ProvenHeader> {
    const answer = readObject(await ask("jurat_getSetChange", periodParams(before.set.period)), "answer");
    const block = decodeFinalizedBlock(answer["block"]);
    trusted = verifySetChange(block, decodeSetProof(answer["proof"]), before);
    return keep(block);
  }

  async function keep({ header, execution }: FinalizedBlock): Promise<ProvenHeader> {
    const proven = await fetchHeader(ask, toHex(execution.blockHash));
    newest = { slot: header.slot, header: proven };
    return proven;
  }

  return {
    advance,
    latest: async () => newest?.header ?? advance(),
    checkpoint: () =>
      trusted === undefined
        ? start
        : { root: toHex(trusted.root), period: trusted.set.period, chainId: start.chainId },
  };
}

function periodParams(period: number | undefined): readonly unknown[] {
  return period === undefined ? [] : [`0x${period.toString(16)}`];
}
