import { deepEqual, equal, ok } from "node:assert/strict";
import fc from "fast-check";
import { integerSquareRoot } from "../../consensus/base-reward.ts";
import type { PendingDeposit, Validator } from "../../consensus/containers.ts";
import type { ChainParams } from "../../consensus/params.ts";
import { createParams, TESTNET_PARAMS } from "../../consensus/presets.ts";
import { depositSigningRoot } from "../../consensus/process-pending-deposits.ts";
import { type ConsensusState, forkState, getStateRoot } from "../../consensus/state.ts";
import { computeEpochAtSlot, FAR_FUTURE_EPOCH } from "../../consensus/time.ts";
import { blsPublicKey, blsSign } from "../../primitives/bls.ts";
import { toHex } from "../../primitives/bytes.ts";
import { interopSecretKey } from "../../primitives/interop-keys.ts";
import { advanced, COIN, equalStakes, extend, genesisWith, honestData, voteOf } from "./hand-made-chain.ts";
import { type NaiveStakes, naivePeriod, naiveStakes, totalStake } from "./naive-staking.ts";
import { smallStakingParams } from "./small-staking-params.ts";

const PARAM_SETS = [smallStakingParams(1), smallStakingParams(2), smallStakingParams(8)];
const START_PERIOD = 9;

const stageArbitrary = fc.constantFrom("active", "active", "active", "waiting", "queued", "leaving", "gone");
const validatorArbitrary = fc.record({
  stage: stageArbitrary,
  prefix: fc.constantFrom(0, 1, 2, 2),
  effectiveCoins: fc.oneof(fc.constantFrom(0, 15, 16, 17, 31, 32), fc.integer({ min: 18, max: 90 })),
  offset: fc.oneof(fc.constant(0n), fc.bigInt({ min: -2n * COIN, max: 3n * COIN })),
  isSlashed: fc.oneof({ weight: 4, arbitrary: fc.constant(false) }, fc.constant(true)),
  score: fc.oneof(fc.constant(0), fc.nat(300)),
  /** Epochs or periods away from now, whatever the stage counts. */
  distance: fc.nat(8),
});
const hitsArbitrary = fc.array(fc.tuple(fc.nat(8), fc.nat(8)), { minLength: 8, maxLength: 8 });
const depositArbitrary = fc.record({
  key: fc.nat(9),
  coins: fc.oneof(fc.integer({ min: 1, max: 60 }), fc.constant(120)),
  prefix: fc.constantFrom(0, 1, 2),
  proof: fc.constantFrom("right" as const, "right" as const, "other amount" as const, "no point" as const),
  slotsAfterFinality: fc.integer({ min: -3, max: 1 }),
});
const worldArbitrary = fc.record({
  params: fc.nat(PARAM_SETS.length - 1),
  validators: fc.array(validatorArbitrary, { minLength: 1, maxLength: 7 }),
  finalityLagEpochs: fc.nat(24),
  slashedCoins: fc.array(fc.nat(60), { minLength: 8, maxLength: 8 }),
  deposits: fc.array(depositArbitrary, { maxLength: 6 }),
  periods: fc.array(fc.oneof({ weight: 5, arbitrary: hitsArbitrary }, fc.constant(undefined)), {
    minLength: 1,
    maxLength: 5,
  }),
});
type World = typeof worldArbitrary extends fc.Arbitrary<infer T> ? T : never;

/** Eight slots before a period begins, with this registry; validator 0 stays, so that blocks can be made. */
function worldState(world: World, params: ChainParams): ConsensusState {
  const state = advanced(
    genesisWith(params, equalStakes(8)).state,
    START_PERIOD * params.periodSlots + 7,
    params,
  );
  const epoch = computeEpochAtSlot(state.slot, params);
  const finalizedEpoch = Math.max(0, epoch - world.finalityLagEpochs);
  state.finalized = { epoch: finalizedEpoch, root: new Uint8Array(32) };
  for (const [i, attempt] of world.validators.entries()) {
    const index = i + 1;
    const validator = state.validators.get(index);
    const effectiveBalance = BigInt(attempt.effectiveCoins) * COIN;
    const withdrawalCredentials = new Uint8Array(32).fill(attempt.prefix, 0, 1);
    const balance = effectiveBalance + attempt.offset;
    state.balances.set(index, balance < 0n ? 0n : balance);
    state.inactivityScores.set(index, attempt.score);
    state.validators.set(index, {
      ...validator,
      ...{ effectiveBalance, withdrawalCredentials, slashed: attempt.isSlashed },
      ...epochsOf(attempt, epoch, params),
    });
  }
  for (const [i, coins] of world.slashedCoins.entries()) state.slashings.set(i, BigInt(coins) * COIN);
  for (const deposit of world.deposits) {
    state.pendingDeposits.push(depositOf(deposit, finalizedEpoch, params));
  }
  state.commit();
  return state;
}

function epochsOf({ stage, distance }: World["validators"][number], epoch: number, params: ChainParams) {
  const perPeriod = params.periodSlots / params.forks[0]!.slotsPerEpoch;
  const periodStart = Math.floor(epoch / perPeriod) * perPeriod;
  const never = {
    ...{ activationEligibilityEpoch: FAR_FUTURE_EPOCH, activationEpoch: FAR_FUTURE_EPOCH },
    ...{ exitEpoch: FAR_FUTURE_EPOCH, withdrawableEpoch: FAR_FUTURE_EPOCH },
  };
  const active = { ...never, activationEligibilityEpoch: 0, activationEpoch: 0 };
  if (stage === "waiting") return never;
  if (stage === "queued") return { ...never, activationEligibilityEpoch: Math.max(0, epoch - distance) };
  if (stage === "active") return active;
  const exitEpoch = periodStart + (stage === "leaving" ? perPeriod : -perPeriod);
  return { ...active, exitEpoch, withdrawableEpoch: exitEpoch + distance * perPeriod };
}

function depositOf(
  attempt: World["deposits"][number],
  finalizedEpoch: number,
  params: ChainParams,
): PendingDeposit {
  const secretKey = interopSecretKey(attempt.key);
  const amount = BigInt(attempt.coins) * COIN;
  const message = {
    pubkey: attempt.proof === "no point" ? new Uint8Array(48).fill(7) : blsPublicKey(secretKey),
    withdrawalCredentials: new Uint8Array(32).fill(attempt.prefix, 0, 1),
    amount,
  };
  const signed = attempt.proof === "other amount" ? { ...message, amount: amount + 1n } : message;
  const { slotsPerEpoch } = params.forks[0]!;
  return {
    ...message,
    signature: blsSign(secretKey, depositSigningRoot(signed, params)),
    slot: Math.max(0, finalizedEpoch * slotsPerEpoch - 1 + attempt.slotsAfterFinality),
  };
}

/** The hits of a period, as many as there are validators and at most one per duty. */
function setHits(state: ConsensusState, hits: readonly (readonly number[])[], duties: number): void {
  for (let index = 0; index < state.validators.length; index++) {
    const [target = 0, head = 0] = hits[index % hits.length]!;
    state.hitsTarget.set(index, Math.min(target, duties));
    state.hitsHead.set(index, Math.min(head, duties));
  }
  state.commit();
}

const compared = ({ issued: _, burned: __, ...stakes }: NaiveStakes) => stakes;

describe("staking: the work of a period", () => {
  it("is what the rules say, sentence by sentence, and no stake appears or disappears unaccounted", function () {
    this.timeout(60_000);
    fc.assert(
      fc.property(worldArbitrary, (world) => {
        const params = PARAM_SETS[world.params]!;
        const proven = new Set(
          world.deposits.flatMap((deposit) => {
            const { signature } = depositOf(deposit, 0, params);
            return deposit.proof === "right" ? [toHex(signature)] : [];
          }),
        );
        let state = worldState(world, params);
        for (const hits of world.periods) {
          const duties = params.periodSlots / params.forks[0]!.slotsPerEpoch;
          if (hits !== undefined) setHits(state, hits, duties);
          const naive = naiveStakes(state);
          const before = totalStake(naive);
          naivePeriod(naive, params, ({ signature }) => proven.has(toHex(signature)));
          const root = toHex(getStateRoot(state));
          const next = advanced(state, naive.slot, params);
          next.commit();
          equal(toHex(getStateRoot(state)), root);
          deepEqual(compared(naiveStakes(next)), compared(naive));
          equal(totalStake(naiveStakes(next)), before + naive.issued - naive.burned);
          state = next;
        }
      }),
      { numRuns: 100 },
    );
  });
});

const params = TESTNET_PARAMS;
const EVERYONE = [0, 1, 2, 3];

/** Blocks from the state's slot on, each with these voters' votes of the slot before. */
function voted(start: ConsensusState, lastSlot: number, voters: readonly number[], chain = params) {
  let state = start;
  for (let slot = start.slot + 1; slot <= lastSlot; slot++) {
    const at = advanced(state, slot, chain);
    const votes = slot < 2 ? [] : [voteOf(at, honestData(at, slot - 1, chain), voters, chain)];
    state = extend(state, slot, votes, chain);
  }
  return state;
}

const balancesOf = (state: ConsensusState) => state.balances.getAll();

describe("staking: rewards", () => {
  const genesis = genesisWith(params, equalStakes(4)).state;

  it("are highest for those who do all duties, and a missed target costs", () => {
    const before = voted(genesis, 31, EVERYONE);
    const after = advanced(voted(before, 63, [0, 1, 2]), 64, params);
    const change = balancesOf(after).map((balance, index) => balance - balancesOf(before)[index]!);
    ok(change.slice(0, 3).every((gain) => gain > 0n));
    // The absentee proposed, which pays, and lost the target's weight for 31 of 32 duties.
    const perIncrement = (COIN * params.baseRewardFactor) / integerSquareRoot(128n * COIN);
    ok(change[3]! < change[0]! - (32n * perIncrement * 40n * 30n) / (64n * 32n));
  });

  it("of a full period without faults are 56/64 of the base to voters and 8/64 to proposers", () => {
    const before = voted(genesis, 63, EVERYONE);
    const after = voted(before, 95, EVERYONE);
    const issued = (state: ConsensusState) => balancesOf(state).reduce((sum, balance) => sum + balance, 0n);
    const perIncrement = (COIN * params.baseRewardFactor) / integerSquareRoot(128n * COIN);
    const base = 128n * perIncrement;
    // 32 blocks pay their proposers, the period's end pays the voters; the division rounds down a little each time.
    const lost = base - (issued(after) - issued(before));
    ok(lost >= 0n && lost < 64n, `${lost} Gwei lost by rounding`);
  });

  it("are paid to the proposer in the block, for what it was the first to include", () => {
    const pre = voted(genesis, 5, EVERYONE);
    const at = advanced(pre, 6, params);
    const vote = voteOf(at, honestData(at, 5, params), EVERYONE, params);
    const paid = (state: ConsensusState) =>
      balancesOf(state).map((balance, index) => balance - balancesOf(pre)[index]!);
    const post = extend(pre, 6, [vote, vote], params);
    const perIncrement = (COIN * params.baseRewardFactor) / integerSquareRoot(128n * COIN);
    const share = (128n * 56n * perIncrement * 8n) / (56n * 64n * 32n);
    deepEqual(
      paid(post),
      EVERYONE.map((index) => (index === post.latestBlockHeader.proposerIndex ? share : 0n)),
    );
    const again = extend(post, 7, [vote], params);
    deepEqual(balancesOf(again), balancesOf(post));
  });

  it("do not move while nobody votes, however long", () => {
    const before = voted(genesis, 40, EVERYONE);
    const settled = advanced(before, 64, params);
    const later = advanced(before, 60_000, params);
    deepEqual(balancesOf(later), balancesOf(settled));
    deepEqual(
      later.validators.getAllReadonlyValues().map(({ exitEpoch }) => exitEpoch),
      EVERYONE.map(() => FAR_FUTURE_EPOCH),
    );
  });
});

describe("staking: the leak", () => {
  const leaking = createParams("devnet", { inactivityPenaltyQuotient: 16n });
  const genesis = genesisWith(leaking, equalStakes(4)).state;

  it("takes from the absent until the present are two thirds, and finality resumes", function () {
    this.timeout(20_000);
    let state = genesis;
    let finalAgain = 0;
    for (let slot = 32; slot <= 1600 && finalAgain === 0; slot += 32) {
      state = voted(state, slot, [0, 1], leaking);
      if (state.finalized.epoch > 0) finalAgain = slot;
    }
    ok(finalAgain > 0, "two of four finalize alone in the end");
    const effective = state.validators.getAllReadonlyValues().map(({ effectiveBalance }) => effectiveBalance);
    equal(effective[0], 32n * COIN);
    ok(3n * (effective[0]! + effective[1]!) >= 2n * effective.reduce((sum, each) => sum + each, 0n));
    // exp(-p²/2Q) = 1/2 at p = sqrt(2 · 16 · ln 2) ≈ 4.7 periods of leak; it begins in the third.
    ok(finalAgain <= 10 * 32, `after ${finalAgain} slots`);
  });

  it("does not exist on a testnet, where absentees pay the ordinary penalty", () => {
    const state = voted(genesisWith(params, equalStakes(4)).state, 320, [0, 1]);
    deepEqual(state.inactivityScores.getAll(), [0, 0, 0, 0]);
    ok(balancesOf(state)[2]! > 31n * COIN);
  });

  it("spares one who does four of five duties", () => {
    const state = forkState(advanced(genesis, 95, leaking));
    state.finalized = { epoch: 0, root: new Uint8Array(32) };
    for (const [index, hits] of [32, 26, 25, 0].entries()) state.hitsTarget.set(index, hits);
    state.commit();
    deepEqual(advanced(state, 96, leaking).inactivityScores.getAll(), [0, 0, 3, 128]);
  });
});

describe("staking: the registry", () => {
  const withValidator = (state: ConsensusState, index: number, changes: Partial<Validator>) => {
    const draft = forkState(state);
    draft.validators.set(index, { ...draft.validators.get(index), ...changes });
    draft.commit();
    return draft;
  };
  const genesis = genesisWith(params, equalStakes(4)).state;

  it("keeps the last validator, whatever its stake", () => {
    let state = genesis;
    for (const index of EVERYONE) state = withValidator(state, index, { effectiveBalance: 16n * COIN });
    const draft = forkState(state);
    for (const index of EVERYONE) draft.balances.set(index, 16n * COIN);
    draft.commit();
    const exits = advanced(draft, 64, params).validators.getAllReadonlyValues();
    deepEqual(
      exits.map(({ exitEpoch }) => exitEpoch),
      [96, 96, 96, FAR_FUTURE_EPOCH],
    );
    // And the chain goes on with it alone.
    const alone = extend(advanced(draft, 64, params), 200, [], params);
    equal(alone.latestBlockHeader.proposerIndex, 3);
  });

  it("activates nobody while nothing is final", () => {
    const waiting = withValidator(genesis, 3, {
      ...{ activationEpoch: FAR_FUTURE_EPOCH, activationEligibilityEpoch: FAR_FUTURE_EPOCH },
    });
    const stalled = advanced(waiting, 640, params);
    equal(stalled.validators.get(3).activationEpoch, FAR_FUTURE_EPOCH);
    equal(stalled.validators.get(3).activationEligibilityEpoch, 33);
    const going = voted(waiting, 160, [0, 1, 2]);
    equal(going.validators.get(3).activationEpoch, 128);
  });
});

describe("staking: integer square root", () => {
  it("is the largest whose square is not above", () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 1n, max: 1n << 80n }), (value) => {
        const root = integerSquareRoot(value);
        ok(root * root <= value && (root + 1n) * (root + 1n) > value);
      }),
    );
  });
});
