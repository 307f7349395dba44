/** A checkpoint from a provider nobody trusts, from its bytes to a state that is worth beginning with. */
import { CheckpointError, decodeCheckpoint, encodeCheckpoint } from "../../../node/checkpoint/checkpoint.ts";
import { verifyCheckpoint } from "../../../node/checkpoint/verify-checkpoint.ts";
import { beginBothSides, makeCheckpoint } from "../../node/both-sides-chain.ts";
import type { Decoder } from "./decoders.ts";

export async function createCheckpointDecoder(): Promise<Omit<Decoder, "name">> {
  const sides = beginBothSides("rehearsal");
  const { checkpoint } = await makeCheckpoint(sides, [1, 2]);
  const { spec, genesis } = sides;
  const rules = { params: spec.params, genesis, pinned: undefined, nowSlot: 20, allowsOld: false };
  return {
    seeds: [encodeCheckpoint(checkpoint)],
    read: (bytes) => verifyCheckpoint(decodeCheckpoint(bytes), rules),
    isExpected: (error) => error instanceof CheckpointError,
  };
}
