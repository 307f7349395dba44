/** What range sync has checked and begun to execute before the engine asks for it. See specs/network/sync.md#ahead-of-the-engine. */
import type { SignedBeaconBlock } from "../../consensus/chain-containers.ts";
import type { Engine } from "../../consensus/engine-state.ts";
import type { ExecutionPayload } from "../../consensus/payload-containers.ts";
import { proposerSignatureSets } from "../../consensus/signature-sets.ts";
import { getState } from "../../consensus/state-cache.ts";
import { blsVerifySets, type SignatureSet } from "../../primitives/bls.ts";
import { equalBytes } from "../../primitives/bytes.ts";
import type { ExecutionPort, PayloadVerdict } from "../execution/port.ts";
import type { SyncBlock } from "../sync/sync-port.ts";
import { payloadOf } from "./execute-payload.ts";

export type Lookahead = {
  /** Checks who made the blocks, all in one batch; when they did, begins to execute them in order. */
  prepare(blocks: readonly SyncBlock<SignedBeaconBlock>[]): void;
  /** Whether this very claim was found good. */
  isVerified(set: SignatureSet): boolean;
  /** The answer that is under way for this very payload; undefined when it was not begun. */
  verdictOn(payload: ExecutionPayload): Promise<PayloadVerdict> | undefined;
};

export type LookaheadParts = {
  readonly engine: Engine;
  readonly execution: Pick<ExecutionPort, "executePayload">;
};

/** Results hang on the decoded blocks themselves, and go with them. */
export function createLookahead({ engine, execution }: LookaheadParts): Lookahead {
  const verified = new WeakMap<Uint8Array, SignatureSet>();
  const verdicts = new WeakMap<ExecutionPayload, Promise<PayloadVerdict>>();

  return {
    prepare(blocks) {
      const { params } = engine.chain;
      const fresh = blocks.filter(({ root }) => !isAnswered(engine, root));
      // Any state will do: a registered key keeps its index, and a newer one is simply not found.
      const state = getState(engine.states, engine.store.headRoot);
      if (state === undefined || fresh.length === 0) return;
      const sets = fresh.flatMap(({ block, root }) => proposerSignatureSets(state, block, root, params));
      // One of them is bad, or signed with a key not known yet: the engine finds out which.
      if (!blsVerifySets(sets)) return;
      for (const set of sets) verified.set(set.signature, set);
      for (const { block } of fresh) {
        const verdict = execution.executePayload(payloadOf(block));
        // Who asks hears of a failure; when nobody does, the next call on the port fails too.
        verdict.catch(() => undefined);
        verdicts.set(block.message.body.executionPayload, verdict);
      }
    },
    isVerified({ publicKeys, message, signature }) {
      const set = verified.get(signature);
      const [key] = publicKeys;
      const [checkedKey] = set?.publicKeys ?? [];
      if (set === undefined || key === undefined || checkedKey === undefined) return false;
      return publicKeys.length === 1 && equalBytes(key, checkedKey) && equalBytes(message, set.message);
    },
    verdictOn: (payload) => verdicts.get(payload),
  };
}

function isAnswered(
  { blocks, pendingBlocks, invalidRoots }: Engine,
  root: SyncBlock<unknown>["root"],
): boolean {
  return blocks.has(root) || pendingBlocks.has(root) || invalidRoots.has(root);
}
