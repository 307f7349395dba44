/** What range sync makes ready ahead of the engine. See specs/network/sync.md#ahead-of-the-engine. */
import { deepEqual, equal } from "node:assert/strict";
import { blockSigningRoot, headerSignatureSet, randaoSigningRoot } from "../../consensus/signature-sets.ts";
import { createLookahead } from "../../node/chain/lookahead.ts";
import type { PayloadToExecute } from "../../node/execution/port.ts";
import { blsSign } from "../../primitives/bls.ts";
import { toHex } from "../../primitives/bytes.ts";
import { interopSecretKey } from "../../primitives/interop-keys.ts";
import { createWorkbench, type MadeBlock, makeBlock, startEngine, tick } from "../support/lone-engine.ts";

const bench = createWorkbench(4);
const blocks: MadeBlock[] = [makeBlock(bench, bench.genesis, 1)];
for (let slot = 2; slot <= 3; slot++) blocks.push(makeBlock(bench, blocks.at(-1)!, slot));

function lookaheadOf() {
  const engine = startEngine(bench);
  tick(engine, 4);
  const executed: number[] = [];
  const execution = {
    async executePayload({ payload }: PayloadToExecute) {
      executed.push(payload.blockNumber);
      return { status: "valid" } as const;
    },
  };
  const lookahead = createLookahead({ engine, execution });
  const { params, containers } = engine.chain;
  const { state } = bench.genesis;
  /** Signed as validators do; the workbench signs cheaply. */
  const arrived = blocks.map(({ signed: { message: unsigned } }) => {
    const key = interopSecretKey(unsigned.proposerIndex);
    const randaoReveal = blsSign(key, randaoSigningRoot(state, unsigned.slot, params));
    const message = { ...unsigned, body: { ...unsigned.body, randaoReveal } };
    const block = { message, signature: blsSign(key, blockSigningRoot(state, message, params)) };
    const root = toHex(containers.BeaconBlock.hashTreeRoot(message));
    return { slot: message.slot, root, parentRoot: toHex(message.parentRoot), block };
  });
  const headerSet = ({ block: { message, signature } }: (typeof arrived)[0]) => {
    const { body, ...rest } = message;
    const header = { ...rest, bodyRoot: containers.BeaconBlockBody.hashTreeRoot(body) };
    return headerSignatureSet(state, { message: header, signature }, params);
  };
  return { lookahead, arrived, executed, headerSet };
}

describe("blocks of a range, ahead of the engine", () => {
  it("are checked in one batch and begun in order; the engine's own claims are found verified", async () => {
    const { lookahead, arrived, executed, headerSet } = lookaheadOf();
    lookahead.prepare(arrived);
    deepEqual(
      executed,
      arrived.map(({ block }) => block.message.body.executionPayload.blockNumber),
    );
    for (const entry of arrived) {
      equal(lookahead.isVerified(headerSet(entry)), true);
      const verdict = await lookahead.verdictOn(entry.block.message.body.executionPayload);
      deepEqual(verdict, { status: "valid" });
    }
  });

  it("count for nothing when one signature is bad, or for another message or key", () => {
    const { lookahead, arrived, executed, headerSet } = lookaheadOf();
    const [first, second] = arrived as [(typeof arrived)[0], (typeof arrived)[0]];
    const forged = { ...second, block: { ...second.block, signature: first.block.signature } };
    lookahead.prepare([first, forged]);
    deepEqual(executed, []);
    equal(lookahead.isVerified(headerSet(first)), false);

    lookahead.prepare([first]);
    const good = headerSet(first);
    equal(lookahead.isVerified(good), true);
    equal(lookahead.isVerified({ ...good, message: new Uint8Array(32) }), false);
    equal(lookahead.isVerified({ ...good, publicKeys: [new Uint8Array(48)] }), false);
    equal(lookahead.isVerified({ ...good, publicKeys: [...good.publicKeys, ...good.publicKeys] }), false);
    equal(lookahead.isVerified({ ...good, signature: good.signature.slice() }), false);
  });
});
