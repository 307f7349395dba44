import { deepEqual, equal, match, ok, rejects, throws } from "node:assert/strict";
import { join } from "node:path";
import { containersOf } from "../../consensus/chain-containers.ts";
import { createParams } from "../../consensus/presets.ts";
import { getStateRoot } from "../../consensus/state.ts";
import { computeWeakSubjectivitySlots } from "../../consensus/weak-subjectivity.ts";
import { createBlockCodec } from "../../node/chain/block-codec.ts";
import { openEngine } from "../../node/chain/open-engine.ts";
import {
  type Checkpoint,
  CheckpointError,
  type CheckpointErrorDetail,
  decodeCheckpoint,
  encodeCheckpoint,
} from "../../node/checkpoint/checkpoint.ts";
import { fetchCheckpoint } from "../../node/checkpoint/fetch-checkpoint.ts";
import { hasNoChain, importCheckpoint, type NodeDirectory } from "../../node/checkpoint/import-checkpoint.ts";
import { type CheckpointProvider, createProvider } from "../../node/checkpoint/provider.ts";
import { type CheckpointRules, verifyCheckpoint } from "../../node/checkpoint/verify-checkpoint.ts";
import type { StateEntries } from "../../node/execution/port.ts";
import { ConsensusBlocks } from "../../node/storage/consensus-blocks.ts";
import { openDatabase } from "../../node/storage/database.ts";
import { verifyStoredState } from "../../node/storage/verify-state.ts";
import { type Hash, toHex } from "../../primitives/bytes.ts";
import { keccak256Hex } from "../../primitives/hash.ts";
import { withAnswers } from "../support/answering-server.ts";
import { withScratchDirectory } from "../support/scratch-directory.ts";
import {
  type BothSides,
  beginBothSides,
  type MadeBeaconBlock,
  makeBothSidesBlock,
  makeCheckpoint,
  openExecutionOf,
} from "./both-sides-chain.ts";

/** Slots of the chain's blocks; the checkpoint is the last. */
const SLOTS = [1, 2, 4, 5, 9];

describe("a checkpoint", function () {
  this.timeout(60_000);
  let sides: BothSides;
  let made: readonly MadeBeaconBlock[];
  let checkpoint: Checkpoint;
  let rules: CheckpointRules;
  let root: Hash;

  const rootOf = ({ signed }: MadeBeaconBlock) =>
    toHex(containersOf(sides.spec.params).BeaconBlock.hashTreeRoot(signed.message));

  before(async () => {
    sides = beginBothSides();
    const { spec, genesis } = sides;
    ({ made, checkpoint } = await makeCheckpoint(sides, SLOTS));
    root = rootOf(made.at(-1)!);
    rules = { params: spec.params, genesis, pinned: undefined, nowSlot: 20, allowsOld: false };
  });

  const refusal = (
    change: Partial<Checkpoint>,
    changedRules: Partial<CheckpointRules> = {},
  ): CheckpointErrorDetail => {
    try {
      verifyCheckpoint({ ...checkpoint, ...change }, { ...rules, ...changedRules });
    } catch (error) {
      if (!(error instanceof CheckpointError)) throw error;
      return error.detail;
    }
    throw new Error("it was accepted");
  };
  const wrongPart = (change: Partial<Checkpoint>) => {
    const detail = refusal(change);
    return "part" in detail ? `${detail.code} ${detail.part}` : detail.code;
  };
  const flipped = (bytes: Uint8Array, at: number) => bytes.map((byte, i) => (i === at ? byte ^ 1 : byte));

  it("is the same after a file", () => {
    deepEqual(decodeCheckpoint(encodeCheckpoint(checkpoint)), checkpoint);
    for (const bytes of [new Uint8Array(), Uint8Array.of(0xc0), encodeCheckpoint(checkpoint).slice(1)]) {
      throws(() => decodeCheckpoint(bytes), { name: "CheckpointError" });
    }
  });

  it("is what a new node goes on from", async () => {
    const verified = verifyCheckpoint(checkpoint, rules);
    equal(verified.root, root);
    await withScratchDirectory(async (dir) => {
      const { spec, genesis, executionGenesis } = sides;
      const genesisRoot = toHex(genesis.blockRoot);
      const directory: NodeDirectory = {
        dir,
        genesisRoot,
        executionGenesisHash: executionGenesis.block.hash,
      };
      equal(await hasNoChain(directory), true);
      // Twice: an import that was interrupted is done again.
      await importCheckpoint(verified, directory);
      equal(await hasNoChain(directory), false);
      await importCheckpoint(verified, directory);

      const open = (role: "consensus" | "execution", chain: Hash) =>
        openDatabase({ directory: join(dir, role), role, chain });
      const consensus = await open("consensus", genesisRoot);
      const execution = await open("execution", executionGenesis.block.hash);
      deepEqual(verifyStoredState(execution), []);

      const blocks = new ConsensusBlocks(consensus);
      const codec = createBlockCodec(containersOf(spec.params));
      const engine = openEngine({
        ...{ params: spec.params, genesis, blocks, codec, nowMs: 0 },
        localValidators: () => [],
      });
      deepEqual(engine.store.finalized, { epoch: 10, root });
      equal(engine.store.headRoot, root);
      deepEqual(
        [...blocks.finalizedBlocks(0, 99)].map(({ slot }) => slot),
        SLOTS,
      );

      const chain = openExecutionOf(sides, execution);
      equal(chain.head().hash, toHex(made.at(-1)!.signed.message.body.executionPayload.blockHash));
      // The next block is made and executed there: its parent's state and the hashes of ancestors are there.
      const next = await makeBothSidesBlock(sides, chain, made.at(-1)!.state, 11);
      equal(chain.head().header.number, 6);
      equal(chain.blocks.canonicalHash(1), toHex(made[0]!.signed.message.body.executionPayload.blockHash));
      ok(getStateRoot(next.state));
      await consensus.close();
      await execution.close();
    });
  });

  it("is refused for every part that does not belong to its root", () => {
    const { block, state, ancestors, accounts, storage, codes } = checkpoint;
    const [first, second] = accounts;
    const cases: readonly (readonly [Partial<Checkpoint>, RegExp])[] = [
      [{ block: Uint8Array.of(1, 2) }, /UNREADABLE block/],
      [{ state: state.slice(1) }, /UNREADABLE state/],
      [{ state: flipped(state, 200) }, /WRONG state/],
      [{ block: flipped(block, 110) }, /WRONG ancestor 1|WRONG state/],
      [{ ancestors: ancestors.slice(1) }, /WRONG ancestor 1/],
      [{ ancestors: [ancestors[0]!, block] }, /WRONG ancestor 2/],
      [{ epoch: 9 }, /WRONG epoch/],
      [{ accounts: accounts.slice(1) }, /WRONG world state/],
      [{ accounts: [...accounts, [new Uint8Array(20).fill(9), first![1]]] }, /WRONG world state|WRONG code/],
      [{ accounts: [[first![0], second![1]], ...accounts.slice(1)] }, /WRONG world state|WRONG code/],
      [{ accounts: [[first![0], Uint8Array.of(1)], ...accounts.slice(1)] }, /UNREADABLE accounts/],
      [{ accounts: [[Uint8Array.of(1), first![1]], ...accounts.slice(1)] }, /UNREADABLE accounts/],
      [{ storage: storage.slice(1) }, /WRONG world state/],
      [{ storage: [[storage[0]![0], Uint8Array.of(99)], ...storage.slice(1)] }, /WRONG world state/],
      [{ storage: [[storage[0]![0], new Uint8Array()], ...storage.slice(1)] }, /UNREADABLE storage/],
      [{ codes: codes.slice(1) }, /WRONG code of 0x/],
    ];
    for (const [change, expected] of cases) match(wrongPart(change), expected);
  });

  it("is refused for another chain", () => {
    const other = { ...sides.genesis, state: made[0]!.state.clone() };
    other.state.genesisTime = 5;
    deepEqual(refusal({}, { genesis: other }), {
      code: "CHECKPOINT_WRONG",
      part: "genesis time",
      ...{ expected: "5", actual: "1700000000" },
    });
  });

  it("must be the pinned block, or have it shortly before", () => {
    const accepts = (pinned: CheckpointRules["pinned"]) => verifyCheckpoint(checkpoint, { ...rules, pinned });
    accepts({ root, epoch: 10 });
    accepts({ root: rootOf(made[1]!), epoch: 3 });
    for (const pinned of [
      { root, epoch: 9 },
      { root: toHex(new Uint8Array(32)), epoch: 10 },
    ]) {
      equal(refusal({}, { pinned }).code, "CHECKPOINT_NOT_PINNED");
    }
  });

  it("must not be older than the weak subjectivity period, unless it is forced", () => {
    const { params } = rules;
    const limitSlots = computeWeakSubjectivitySlots(made.at(-1)!.state, params);
    // 80 coins, of which 128 may turn over in a period: it is the delay alone.
    equal(limitSlots, params.minWithdrawabilityDelaySlots);
    verifyCheckpoint(checkpoint, { ...rules, nowSlot: 9 + limitSlots });
    deepEqual(refusal({}, { nowSlot: 10 + limitSlots }), {
      code: "CHECKPOINT_TOO_OLD",
      ageSlots: limitSlots + 1,
      limitSlots,
    });
    verifyCheckpoint(checkpoint, { ...rules, nowSlot: 10 + limitSlots, allowsOld: true });
    // With a smaller churn the validators of the time are there for longer: 10 · 80 / (200 · 1) = 4 periods more.
    const slow = { ...params, minChurnGwei: 10n ** 9n, churnQuotient: 10n ** 9n };
    equal(computeWeakSubjectivitySlots(made.at(-1)!.state, slow), limitSlots + 4 * params.periodSlots);
    equal(createParams("public").weakSubjectivityDecayPercent, 10);
  });

  describe("comes from providers", () => {
    const told: string[] = [];
    const provider = (url: string, changes: Partial<CheckpointProvider> = {}): CheckpointProvider => ({
      url,
      offered: async () => ({ root, epoch: 10 }),
      isFinalized: async (asked) => asked === root,
      block: async (asked) => {
        const at = [...made].reverse().findIndex((one) => rootOf(one) === asked);
        return [checkpoint.block, ...checkpoint.ancestors][at]!;
      },
      state: async () => checkpoint.state,
      entries: async (_, table) => checkpoint[table],
      codes: async (hashes) =>
        hashes.map((hash) => checkpoint.codes.find((code) => keccak256Hex(code) === hash)!),
      ...changes,
    });
    const fetching = (...providers: [CheckpointProvider, ...CheckpointProvider[]]) =>
      fetchCheckpoint(providers, {
        ...{ params: sides.spec.params, genesisRoot: toHex(sides.genesis.blockRoot) },
        pause: async () => void told.push("pause"),
        onProgress: (message) => void told.push(message),
      });

    it("when they agree, after a while if one is behind", async () => {
      let asked = 0;
      const behind = provider("b", { isFinalized: async () => ++asked > 3 });
      const fetched = await fetching(provider("a"), behind);
      deepEqual(
        { ...fetched, codes: [...(fetched?.codes ?? [])].sort() },
        { ...checkpoint, codes: [...checkpoint.codes].sort() },
      );
      equal(told.filter((what) => what === "pause").length, 3);
    });

    it("which is none while nothing but genesis is final", async () => {
      const genesisRoot = toHex(sides.genesis.blockRoot);
      const young = { offered: async () => ({ root: genesisRoot, epoch: 9 }) };
      equal(
        await fetching(provider("a", young), provider("b", { isFinalized: async () => true })),
        undefined,
      );
    });

    it("and not when one of them has another chain", async () => {
      const other = provider("c", { isFinalized: async () => false });
      await rejects(fetching(provider("a"), provider("b"), other), {
        detail: { code: "CHECKPOINT_NOT_AGREED", provider: "c", root },
      });
    });

    it("over HTTP, where whatever is no answer of the API has a reason with the provider's name", async () => {
      const bodies = [
        "no JSON",
        "{}",
        JSON.stringify({ data: { root: "0x12", epoch: 1 } }),
        "x".repeat(2 ** 17),
      ];
      const path = "/jurat/v1/checkpoint";
      const nameless = `${path} names no root and epoch: it has no checkpoint yet, or is no node of ours`;
      const reasons = [
        `${path} answers no JSON`,
        nameless,
        nameless,
        `more than 65536 bytes from URL${path}`,
      ];
      await withAnswers(
        (response, _, attempt) => response.end(bodies[attempt - 1]),
        async (url) => {
          const { offered } = createProvider(url, () => undefined);
          for (const reason of reasons) {
            const detail = {
              code: "CHECKPOINT_PROVIDER_FAILED",
              provider: url,
              reason: reason.replace("URL", url),
            };
            await rejects(offered(), { detail });
          }
        },
      );
    });

    it("and what is no block or account is told", async () => {
      await rejects(fetching(provider("a", { block: async () => Uint8Array.of(1) })), {
        name: "CheckpointError",
      });
      const entries = async (): Promise<StateEntries> => [[new Uint8Array(20), Uint8Array.of(1)]];
      await rejects(fetching(provider("a", { entries })), { name: "CheckpointError" });
    });
  });
});
