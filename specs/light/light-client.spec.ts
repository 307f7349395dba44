import { deepEqual, equal, ok, throws } from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import {
  ByteVectorType,
  ContainerType,
  ListCompositeType,
  UintBigintType,
  UintNumberType,
} from "@chainsafe/ssz";
import { build } from "esbuild";
import fc from "fast-check";
import { getState } from "../../consensus/state-cache.ts";
import { addToPool } from "../../consensus/vote-pool.ts";
import { type FinalizedBlock, verifyFinalizedBlock, verifySetChange } from "../../light/light-client.ts";
import { LightError, type LightErrorDetail } from "../../light/light-error.ts";
import { type ValidatorSet, validatorSetRoot } from "../../light/validator-set.ts";
import {
  decodeFinalizedBlock,
  decodeSetProof,
  decodeValidatorSet,
  encodeFinalizedBlock,
  encodeSetProof,
  encodeValidatorSet,
} from "../../light/wire.ts";
import { buildSetProof } from "../../node/light/light-server.ts";
import { toHex } from "../../primitives/bytes.ts";
import { PROJECT_ROOT } from "../support/vectors.ts";
import { type ProvenChain, provenBlock, provenChain, setOf, singleVote } from "./proven-chain.ts";

/** What the client says of it; undefined when it believes. */
function doubt(block: FinalizedBlock, set: ValidatorSet, root = validatorSetRoot(set)) {
  return detailOf(() => verifyFinalizedBlock(block, set, root));
}

function detailOf(check: () => void): LightErrorDetail | undefined {
  try {
    check();
  } catch (error) {
    if (!(error instanceof LightError)) throw error;
    return error.detail;
  }
  return undefined;
}

describe("a light client", function () {
  this.timeout(60_000);
  let proven: ProvenChain;
  let set: ValidatorSet;
  let block: FinalizedBlock;

  before(() => {
    proven = provenChain(4, 8);
    set = setOf(proven, 0);
    block = provenBlock(proven)!;
  });

  const changed = (change: (block: FinalizedBlock) => object): FinalizedBlock =>
    ({ ...block, ...change(block) }) as FinalizedBlock;
  const withCertificate = (change: object): FinalizedBlock =>
    changed(({ certificate }) => ({ certificate: { ...certificate, ...change } }));

  it("believes a block that two thirds of the stake made final", () => {
    equal(doubt(block, set), undefined);
    const { slot, root } = finalizedOf(proven);
    equal(toHex(block.certificate.source.root), root);
    equal(block.header.slot, slot);
    const made = proven.chain.find((one) => one.root === root)!;
    deepEqual(block.execution.blockHash, made.signed.message.body.executionPayload.blockHash);
  });

  it("needs exactly two thirds: four of six will do, three of five will not", () => {
    const four = provenChain(6, 8, () => [0, 2, 3, 5]);
    equal(doubt(provenBlock(four)!, setOf(four, 0)), undefined);
    const fourOfSix = provenBlock(four)!;
    const [votes] = fourOfSix.certificate.votes;
    const fewer = { ...fourOfSix.certificate, votes: [{ ...votes!, participants: [0, 2, 3] }] };
    deepEqual(doubt({ ...fourOfSix, certificate: fewer }, setOf(four, 0)), {
      code: "LIGHT_TOO_FEW_VOTES",
      voted: 96n,
      total: 192n,
    });
    const three = provenChain(5, 8, () => [0, 1, 2]);
    equal(three.engine.store.finalized.epoch, 0);
    equal(provenBlock(three), undefined);
  });

  it("believes a set only by its root", () => {
    const actual = toHex(validatorSetRoot(set));
    const expected = toHex(validatorSetRoot({ ...set, period: 1 }));
    deepEqual(doubt(block, set, validatorSetRoot({ ...set, period: 1 })), {
      code: "LIGHT_OTHER_VALIDATOR_SET",
      ...{ expected, actual },
    });
    for (const other of [
      { ...set, periodSlots: 64 },
      { ...set, snapshotsLength: 1024 },
      { ...set, withdrawabilityDelaySlots: 1 },
      { ...set, genesisValidatorsRoot: new Uint8Array(32) },
      { ...set, validators: set.validators.slice(1) },
      { ...set, validators: set.validators.map((one) => ({ ...one, weight: 33 })) },
    ]) {
      equal(doubt(block, other, validatorSetRoot(set))?.code, "LIGHT_OTHER_VALIDATOR_SET");
    }
  });

  it("does not believe votes over a longer link, of strangers, or counted twice", () => {
    const { source, target, votes } = block.certificate;
    deepEqual(doubt(withCertificate({ target: { ...target, epoch: target.epoch + 1 } }), set), {
      code: "LIGHT_EPOCHS_NOT_ADJACENT",
      source: source.epoch,
      target: target.epoch + 1,
    });
    deepEqual(doubt(withCertificate({ votes: [...votes, ...votes] }), set), {
      code: "LIGHT_VOTER_COUNTED_TWICE",
      validatorIndex: 0,
    });
    deepEqual(doubt(withCertificate({ votes: [{ ...votes[0]!, participants: [0, 1, 9] }] }), set), {
      code: "LIGHT_UNKNOWN_VOTER",
      validatorIndex: 9,
    });
    equal(doubt(withCertificate({ votes: [] }), set)?.code, "LIGHT_TOO_FEW_VOTES");
  });

  it("does not believe votes for anything else than was signed", () => {
    const { source, target, votes, forkVersion } = block.certificate;
    const [vote] = votes;
    const other = new Uint8Array(32).fill(7);
    for (const change of [
      { source: { ...source, root: other } },
      { source: { ...source, epoch: source.epoch + 1 }, target: { ...target, epoch: target.epoch + 1 } },
      { target: { ...target, root: other } },
      { votes: [{ ...vote!, slot: vote!.slot + 1 }] },
      { votes: [{ ...vote!, beaconBlockRoot: other }] },
      { votes: [{ ...vote!, participants: [0, 1, 2] }] },
      { votes: [{ ...vote!, signature: new Uint8Array(96) }] },
      { forkVersion: Uint8Array.of(1, 2, 3, 4) },
    ]) {
      deepEqual(doubt(withCertificate(change), set), { code: "LIGHT_WRONG_SIGNATURE", vote: 0 });
    }
    const pinned = { forkVersions: [Uint8Array.of(1, 2, 3, 4)] };
    deepEqual(
      detailOf(() => verifyFinalizedBlock(block, set, validatorSetRoot(set), pinned)),
      {
        code: "LIGHT_OTHER_FORK",
        version: toHex(forkVersion),
      },
    );
    deepEqual(
      detailOf(() =>
        verifyFinalizedBlock(block, set, validatorSetRoot(set), { forkVersions: [forkVersion] }),
      ),
      undefined,
    );
  });

  it("does not believe a set whose stake may have left", () => {
    const old = { ...set, withdrawabilityDelaySlots: 3 };
    const voteSlot = block.certificate.votes[0]!.slot;
    deepEqual(doubt(block, old), { code: "LIGHT_SET_TOO_OLD", voteSlot, lastSlot: 3 });
  });

  it("does not believe another header, nor another execution block", () => {
    equal(
      doubt(
        changed(({ header }) => ({ header: { ...header, slot: 99 } })),
        set,
      )?.code,
      "LIGHT_WRONG_HEADER",
    );
    const wrong = { code: "LIGHT_WRONG_PROOF", of: "execution" };
    const fields = Object.keys(block.execution) as (keyof FinalizedBlock["execution"])[];
    equal(fields.length, 15);
    for (const field of fields) {
      const value = block.execution[field];
      const other =
        value instanceof Uint8Array
          ? value.length === 0
            ? Uint8Array.of(1)
            : value.map((byte) => byte ^ 1)
          : typeof value === "bigint"
            ? value + 1n
            : value + 1;
      deepEqual(
        doubt(
          changed(({ execution }) => ({ execution: { ...execution, [field]: other } })),
          set,
        ),
        wrong,
      );
    }
    const { executionBranch } = block;
    deepEqual(
      doubt(
        changed(() => ({ executionBranch: executionBranch.slice(1) })),
        set,
      ),
      wrong,
    );
    deepEqual(
      doubt(
        changed(() => ({ executionBranch: [...executionBranch].reverse() })),
        set,
      ),
      wrong,
    );
  });

  it("counts votes for different heads over one link together", () => {
    const { bench, engine, chain } = provenChain(4, 8);
    const { source, target, votes } = provenBlock(proven)!.certificate;
    const [first] = votes;
    const same = { slot: first!.slot, index: 0, beaconBlockRoot: first!.beaconBlockRoot, source, target };
    const late = { ...same, beaconBlockRoot: source.root };
    engine.votePool.clear();
    for (const one of [...engine.blocks.values()]) engine.blocks.set(one.root, { ...one, attestations: [] });
    for (const [voter, data] of [
      [0, same],
      [1, late],
      [2, late],
    ] as const) {
      const vote = singleVote(bench, data, voter);
      const key = toHex(Uint8Array.of(voter));
      addToPool(engine.votePool, { key, data, validatorIndices: [voter], signature: vote.signature }, voter);
    }
    const counted = provenBlock({ bench, engine, chain })!;
    equal(counted.certificate.votes.length, 2);
    equal(doubt(counted, set), undefined);
  });

  it("is served without the votes of those it does not know yet", () => {
    const everyone = provenChain(6, 8);
    const known = { ...setOf(everyone, 0), validators: setOf(everyone, 0).validators.slice(0, 4) };
    // In blocks there are aggregates of all six, which it cannot check.
    equal(provenBlock(everyone, 0, known), undefined);
    const { bench, engine } = everyone;
    const { source, target, votes: inBlocks } = provenBlock(everyone)!.certificate;
    const [{ slot, beaconBlockRoot }] = inBlocks as [FinalizedBlock["certificate"]["votes"][number]];
    const data = { slot, index: 0, beaconBlockRoot, source, target };
    const attestations = [0, 1, 2, 3, 4, 5].map((voter) => singleVote(bench, data, voter));
    for (const { attesterIndex, signature } of attestations) {
      const vote = { key: "0xaa", data, validatorIndices: [attesterIndex], signature } as const;
      addToPool(engine.votePool, vote, attesterIndex);
    }
    const served = provenBlock(everyone, 0, known)!;
    deepEqual(served.certificate.votes[0]!.participants, [0, 1, 2, 3]);
    equal(doubt(served, known), undefined);
  });

  describe("moves to the set of a later period", () => {
    let later: ProvenChain;
    before(() => {
      later = provenChain(4, 40);
    });
    const proofOf = ({ engine, bench }: ProvenChain) =>
      buildSetProof(getState(engine.states, finalizedOf(later).root)!, bench.params);

    it("by a block that the set it trusts made final", () => {
      const trusted = { set: setOf(later, 0), root: validatorSetRoot(setOf(later, 0)) };
      const next = verifySetChange(provenBlock(later)!, proofOf(later), trusted);
      deepEqual(next.set, setOf(later, 1));
      deepEqual(next.root, validatorSetRoot(setOf(later, 1)));
      // And what comes next is proven to it.
      equal(doubt(provenBlock(later, 1)!, next.set, next.root), undefined);
    });

    it("and to no other", () => {
      const trusted = { set: setOf(later, 0), root: validatorSetRoot(setOf(later, 0)) };
      const proof = proofOf(later);
      const refused = (change: object) =>
        detailOf(() => verifySetChange(provenBlock(later)!, { ...proof, ...change }, trusted));
      const flipped = (bytes: Uint8Array, at: number) => bytes.map((byte, i) => (i === at ? byte ^ 1 : byte));
      const validators = { code: "LIGHT_WRONG_PROOF", of: "validators" };
      const weights = { code: "LIGHT_WRONG_PROOF", of: "weights" };
      for (let at = 0; at < proof.validators.length; at += 7) {
        deepEqual(refused({ validators: flipped(proof.validators, at) }), validators);
      }
      deepEqual(
        refused({ validators: proof.validators.slice(121), weights: proof.weights.slice(2) }),
        validators,
      );
      deepEqual(refused({ validatorsBranch: proof.validatorsBranch.slice(1) }), validators);
      for (let at = 0; at < proof.weights.length; at++) {
        deepEqual(refused({ weights: flipped(proof.weights, at) }), weights);
      }
      deepEqual(refused({ weightsBranch: [...proof.weightsBranch].reverse() }), weights);
      equal(refused({ validators: proof.validators.slice(1) })?.code, "LIGHT_MALFORMED");
      equal(refused({ weights: new Uint8Array(12) })?.code, "LIGHT_MALFORMED");

      // The snapshot of another period of the same state.
      const state = getState(later.engine.states, finalizedOf(later).root)!;
      const earlier = { ...later.bench.params, periodSlots: 8 };
      const other = buildSetProof(state, earlier);
      deepEqual(refused({ weights: other.weights, weightsBranch: other.weightsBranch }), weights);
    });
  });

  it("hashes a set as SSZ does", () => {
    const uint64 = new UintNumberType(8);
    const LightValidator = new ContainerType({
      publicKey: new ByteVectorType(48),
      weight: new UintBigintType(8),
    });
    const LightSet = new ContainerType({
      genesisValidatorsRoot: new ByteVectorType(32),
      periodSlots: uint64,
      snapshotsLength: uint64,
      withdrawabilityDelaySlots: uint64,
      period: uint64,
      validators: new ListCompositeType(LightValidator, 2 ** 40),
    });
    const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
    const number = fc.maxSafeNat();
    fc.assert(
      fc.property(
        fc.record({
          genesisValidatorsRoot: bytes(32),
          periodSlots: number,
          snapshotsLength: number,
          withdrawabilityDelaySlots: number,
          period: number,
          validators: fc.array(fc.record({ publicKey: bytes(48), weight: fc.nat(0xffff) }), { maxLength: 9 }),
        }),
        (made) => {
          const value = {
            ...made,
            validators: made.validators.map((one) => ({ ...one, weight: BigInt(one.weight) })),
          };
          deepEqual(validatorSetRoot(made), LightSet.hashTreeRoot(value));
        },
      ),
      { numRuns: 50 },
    );
  });

  describe("reads JSON", () => {
    it("that means the same when it is written again", () => {
      const text = JSON.stringify(encodeFinalizedBlock(block));
      deepEqual(decodeFinalizedBlock(JSON.parse(text)), block);
      deepEqual(decodeValidatorSet(JSON.parse(JSON.stringify(encodeValidatorSet(set)))), set);
      const proof = buildSetProof(proven.bench.genesis.state, proven.bench.params);
      deepEqual(decodeSetProof(JSON.parse(JSON.stringify(encodeSetProof(proof)))), proof);
    });

    it("and refuses everything else by naming the field", () => {
      const text = JSON.stringify(encodeFinalizedBlock(block));
      const cases: readonly (readonly [string, string, string])[] = [
        ['"slot":', '"slot":-', "slot"],
        ['"forkVersion":"0x', '"forkVersion":"0x00', "forkVersion"],
        ['"blockNumber":', '"blockNumber":0.5,"x":', "blockNumber"],
        ['"gasLimit":"', '"gasLimit":"x', "gasLimit"],
        ['"executionBranch":[', '"executionBranch":["0x"],"x":[', "executionBranch"],
      ];
      for (const [from, to, at] of cases) {
        throws(
          () => decodeFinalizedBlock(JSON.parse(text.replace(from, to))),
          (error: LightError) => {
            equal(error.detail.code, "LIGHT_MALFORMED");
            equal("at" in error.detail && error.detail.at, at);
            return true;
          },
        );
      }
    });

    it("whatever it is, without throwing anything but a LightError", () => {
      const all = [decodeFinalizedBlock, decodeValidatorSet, decodeSetProof];
      const template = encodeFinalizedBlock(block);
      const mutated = fc.tuple(fc.constantFrom(...Object.keys(template)), fc.jsonValue());
      fc.assert(
        fc.property(
          fc.oneof(
            fc.jsonValue(),
            mutated.map(([key, value]) => ({ ...template, [key]: value })),
          ),
          (json) => {
            for (const decode of all) detailOf(() => decode(json));
          },
        ),
        { numRuns: 300 },
      );
    });
  });

  it("is made of what a browser has: its code bundles for one", async () => {
    const { outputFiles, metafile } = await build({
      entryPoints: [join(PROJECT_ROOT, "light/light-client.ts")],
      ...{ bundle: true, write: false, metafile: true, platform: "browser", format: "esm", minify: true },
    });
    ok(outputFiles[0]!.contents.length < 150_000, `${outputFiles[0]!.contents.length} bytes`);
    const packages = new Set(
      Object.keys(metafile.inputs).flatMap(
        (path) => /node_modules\/(@[^/]+\/[^/]+|[^/]+)/.exec(path)?.[1] ?? [],
      ),
    );
    deepEqual([...packages].sort(), ["@noble/curves", "@noble/hashes"]);
    const files = readdirSync(join(PROJECT_ROOT, "light"), { recursive: true, encoding: "utf8" });
    const sources = files
      .filter((file) => file.endsWith(".ts"))
      .map((file) => readFileSync(join(PROJECT_ROOT, "light", file), "utf8"));
    equal(
      sources.some((text) => /from "node:|Buffer\.|process\./.test(text)),
      false,
    );
  });
});

function finalizedOf({ engine }: ProvenChain) {
  const { root } = engine.store.finalized;
  return { root, slot: engine.blocks.get(root)?.slot ?? 0 };
}
