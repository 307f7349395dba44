import { deepEqual, equal, ok } from "node:assert/strict";
import fc from "fast-check";
import { integerSquareRoot } from "../../consensus/base-reward.ts";
import { BlockError } from "../../consensus/block-errors.ts";
import { type AttesterSlashing, type BeaconBlock, containersOf } from "../../consensus/chain-containers.ts";
import type { AttestationData, ProposerSlashing, Validator } from "../../consensus/containers.ts";
import { depositSigningRoot } from "../../consensus/process-pending-deposits.ts";
import { getExpectedWithdrawals } from "../../consensus/process-withdrawals.ts";
import { type ConsensusState, forkState } from "../../consensus/state.ts";
import { applyBlock, stateTransition } from "../../consensus/state-transition.ts";
import { FAR_FUTURE_EPOCH } from "../../consensus/time.ts";
import { compoundingCredentials } from "../../consensus/withdrawal-credentials.ts";
import { blsPublicKey, blsSign } from "../../primitives/bls.ts";
import { interopSecretKey } from "../../primitives/interop-keys.ts";
import {
  advanced,
  COIN,
  equalStakes,
  extend,
  genesisWith,
  honestData,
  refusal,
  seal,
  unsealedBlock,
  voteOf,
} from "./hand-made-chain.ts";
import { totalStake } from "./naive-staking.ts";
import { smallStakingParams } from "./small-staking-params.ts";

/** K = 1: an epoch is a slot. Periods of 8 slots, stake free 30 slots after the exit. */
const params = smallStakingParams(1);
const containers = containersOf(params);
const EVERYONE = [0, 1, 2, 3, 4, 5];
const NO_SIGNATURE = new Uint8Array(96);

/** Blocks at slots 1 to 5, each with all votes of the slot before. */
let pre: ConsensusState;
before(() => {
  pre = genesisWith(params, equalStakes(6)).state;
  for (let slot = 1; slot <= 5; slot++) pre = extend(pre, slot, votesFor(pre, slot), params);
});

function votesFor(parent: ConsensusState, slot: number) {
  if (slot < 2) return [];
  const state = advanced(parent, slot, params);
  return [voteOf(state, honestData(state, slot - 1, params), EVERYONE, params)];
}

type Body = Partial<BeaconBlock["body"]>;

function blockWith(parent: ConsensusState, slot: number, body: Body): BeaconBlock {
  const block = unsealedBlock(parent, slot, [], params);
  return { ...block, body: { ...block.body, ...body } };
}

const stateAfter = (parent: ConsensusState, slot: number, body: Body) =>
  seal(parent, blockWith(parent, slot, body), params).state;
const refusalOf = (body: Body, parent = pre, slot = parent.slot + 1) =>
  refusal(parent, blockWith(parent, slot, body), params);

/** The state with one validator changed. */
function changed(state: ConsensusState, index: number, changes: Partial<Validator>, balance?: bigint) {
  const draft = forkState(state);
  draft.validators.set(index, { ...draft.validators.get(index), ...changes });
  if (balance !== undefined) draft.balances.set(index, balance);
  draft.commit();
  return draft;
}

function doubleProposal(proposerIndex: number): ProposerSlashing {
  const header = (fill: number) => ({
    message: {
      ...{ slot: 3, proposerIndex, parentRoot: new Uint8Array(32), stateRoot: new Uint8Array(32) },
      bodyRoot: new Uint8Array(32).fill(fill),
    },
    signature: NO_SIGNATURE,
  });
  return { signedHeader1: header(1), signedHeader2: header(2) };
}

function data(source: number, target: number, head = 0): AttestationData {
  const checkpoint = (epoch: number) => ({ epoch, root: new Uint8Array(32) });
  const beaconBlockRoot = new Uint8Array(32).fill(head);
  return { slot: target, index: 0, beaconBlockRoot, source: checkpoint(source), target: checkpoint(target) };
}

function evidence(
  first: readonly number[],
  second: readonly number[],
  votes: readonly [AttestationData, AttestationData] = [data(1, 3, 1), data(1, 3, 2)],
): AttesterSlashing {
  return {
    attestation1: { attestingIndices: [...first], data: votes[0], signature: NO_SIGNATURE },
    attestation2: { attestingIndices: [...second], data: votes[1], signature: NO_SIGNATURE },
  };
}

const exitOf = (validatorIndex: number, epoch = 0) => ({
  message: { epoch, validatorIndex },
  signature: NO_SIGNATURE,
});
const validatorsOf = (state: ConsensusState) => state.validators.getAllReadonlyValues();

/** Somebody who does not propose the next block, so that the proposer's pay stays apart. */
const bystander = (state: ConsensusState, slot: number) =>
  EVERYONE.find((index) => index !== unsealedBlock(state, slot, [], params).proposerIndex)!;

describe("operations: proposer slashings", () => {
  it("take part of the stake at once, pay the reporter, and send the offender away", () => {
    const offender = bystander(pre, 6);
    const post = stateAfter(pre, 6, { proposerSlashings: [doubleProposal(offender)] });
    const { slashed, exitEpoch, withdrawableEpoch } = validatorsOf(post)[offender]!;
    deepEqual([slashed, exitEpoch, withdrawableEpoch], [true, 16, 64]);
    const paid = EVERYONE.map((index) => post.balances.get(index) - pre.balances.get(index));
    const { proposerIndex } = post.latestBlockHeader;
    const expected = EVERYONE.map((index) => {
      if (index === offender) return (-32n * COIN) / 128n;
      return index === proposerIndex ? (32n * COIN) / 512n : 0n;
    });
    deepEqual(paid, expected);
    equal(post.slashings.get(0), 32n * COIN);
  });

  it("keep the offender from proposing, and take its weight with the next period", () => {
    let state = pre;
    const offender = unsealedBlock(pre, 7, [], params).proposerIndex;
    if (unsealedBlock(pre, 6, [], params).proposerIndex !== offender) {
      state = stateAfter(pre, 6, { proposerSlashings: [doubleProposal(offender)] });
      deepEqual(refusal(state, unsealedBlock(state, 7, [], params), params), {
        code: "BLOCK_PROPOSER_SLASHED",
        proposerIndex: offender,
      });
    } else state = stateAfter(pre, 6, { proposerSlashings: [doubleProposal(offender)] });
    equal(advanced(state, 8, params).ffgWeights.get(1).get(offender), 0);
    equal(state.ffgWeights.get(0).get(offender), 32);
  });

  it("cost more when a third is slashed together", () => {
    const lossOf = (offenders: readonly number[]) => {
      const slashed = stateAfter(pre, 6, { proposerSlashings: offenders.map(doubleProposal) });
      // Half a window of four periods before the stake is free at slot 64.
      const before = advanced(slashed, 31, params);
      return before.balances.get(offenders[0]!) - advanced(before, 32, params).balances.get(offenders[0]!);
    };
    const [first, second] = EVERYONE.filter(
      (index) => index !== unsealedBlock(pre, 6, [], params).proposerIndex,
    ) as [number, number];
    // The penalty taken at once has cost an increment.
    equal(lossOf([first]), ((3n * 32n * COIN) / 160n) * 31n);
    // Three times a third of what was active: all that is left.
    const both = stateAfter(pre, 6, { proposerSlashings: [doubleProposal(first), doubleProposal(second)] });
    ok(advanced(both, 32, params).balances.get(first) < COIN);
  });

  it("are refused without an offence, and against those who cannot be slashed", () => {
    const fault = (slashing: ProposerSlashing, parent = pre) =>
      refusalOf({ proposerSlashings: [doubleProposal(0), slashing] }, parent);
    const refused = (name: string) => ({ code: "BLOCK_INVALID_PROPOSER_SLASHING", index: 1, fault: name });
    const { signedHeader1 } = doubleProposal(1);
    deepEqual(fault({ signedHeader1, signedHeader2: signedHeader1 }), refused("NO_OFFENCE"));
    deepEqual(fault(doubleProposal(6)), refused("UNKNOWN_VALIDATOR"));
    deepEqual(fault(doubleProposal(0)), refused("NOBODY_SLASHABLE"));
    const waiting = changed(pre, 1, { activationEpoch: FAR_FUTURE_EPOCH });
    deepEqual(fault(doubleProposal(1), waiting), refused("NOBODY_SLASHABLE"));
    const gone = changed(pre, 1, { exitEpoch: 1, withdrawableEpoch: 6 });
    deepEqual(fault(doubleProposal(1), gone), refused("NOBODY_SLASHABLE"));
  });
});

describe("operations: attester slashings", () => {
  it("slash everyone who signed both votes, and nobody else", () => {
    const post = stateAfter(pre, 6, { attesterSlashings: [evidence([0, 1, 2, 4], [1, 2, 3])] });
    deepEqual(
      validatorsOf(post).map(({ slashed }) => slashed),
      [false, true, true, false, false, false],
    );
    const surround = stateAfter(pre, 6, {
      attesterSlashings: [evidence([1], [1], [data(1, 5), data(2, 4)])],
    });
    equal(validatorsOf(surround)[1]!.slashed, true);
  });

  it("are refused without an offence, with lists that are none, and when nobody is left to slash", () => {
    const fault = (slashing: AttesterSlashing) =>
      refusalOf({ attesterSlashings: [evidence([5], [5]), slashing] });
    const refused = (name: string) => ({ code: "BLOCK_INVALID_ATTESTER_SLASHING", index: 1, fault: name });
    deepEqual(fault(evidence([1], [1], [data(1, 3), data(1, 3)])), refused("NO_OFFENCE"));
    deepEqual(fault(evidence([1], [1], [data(2, 4), data(1, 5)])), refused("NO_OFFENCE"));
    for (const indices of [[], [2, 1], [1, 1]]) {
      deepEqual(fault(evidence(indices, [1])), refused("INVALID_INDICES"));
      deepEqual(fault(evidence([1], indices)), refused("INVALID_INDICES"));
    }
    deepEqual(fault(evidence([1, 6], [1])), refused("UNKNOWN_VALIDATOR"));
    deepEqual(fault(evidence([1, 2], [3, 4])), refused("NOBODY_SLASHABLE"));
    deepEqual(fault(evidence([5], [5])), refused("NOBODY_SLASHABLE"));
  });
});

describe("operations: voluntary exits", () => {
  it("take effect two periods later, within the churn, and free the stake after the delay", () => {
    // The churn of 64 coins takes two validators a period.
    const exits = [0, 1, 2].map((index) => exitOf(index, 6));
    const post = stateAfter(pre, 6, { voluntaryExits: exits });
    deepEqual(
      validatorsOf(post).map(({ exitEpoch, withdrawableEpoch }) => [exitEpoch, withdrawableEpoch]),
      [
        ...[16, 16, 24].map((epoch) => [epoch, epoch + 30]),
        ...[3, 4, 5].map(() => [FAR_FUTURE_EPOCH, FAR_FUTURE_EPOCH]),
      ],
    );
    deepEqual(advanced(post, 16, params).ffgWeights.get(2).getAll(), [0, 0, 32, 32, 32, 32]);
  });

  it("are refused for those who cannot leave, now or here", () => {
    const fault = (index: number, epoch: number, parent = pre) => {
      const detail = refusalOf({ voluntaryExits: [exitOf(0), exitOf(index, epoch)] }, parent);
      return detail.code === "BLOCK_INVALID_VOLUNTARY_EXIT" && detail.index === 1 ? detail.fault : detail;
    };
    equal(fault(6, 0), "UNKNOWN_VALIDATOR");
    equal(fault(0, 0), "ALREADY_LEAVING");
    equal(fault(1, 7), "FROM_FUTURE");
    equal(fault(1, 0, changed(pre, 1, { activationEpoch: 16 })), "NOT_ACTIVE");
    const pending = forkState(pre);
    pending.pendingPartialWithdrawals.push({ validatorIndex: 1, amount: 1n, withdrawableEpoch: 50 });
    pending.commit();
    equal(fault(1, 0, pending), "WITHDRAWAL_PENDING");
    let two = pre;
    for (const index of [2, 3, 4, 5]) two = changed(two, index, { exitEpoch: 16, withdrawableEpoch: 46 });
    equal(fault(1, 0, two), "LAST_VALIDATOR");
  });
});

describe("operations: requests of the payload", () => {
  const { ExecutionRequests } = containers;
  const keyOf = (index: number) => validatorsOf(pre)[index]!.pubkey;
  const ownerOf = (index: number) => new Uint8Array(20).fill(index);
  const asked = (
    parent: ConsensusState,
    index: number,
    amount: bigint,
    owner: Uint8Array = ownerOf(index),
  ) => {
    const request = { sourceAddress: owner, validatorPubkey: keyOf(index), amount };
    const executionRequests = { ...ExecutionRequests.defaultValue(), withdrawals: [request] };
    return stateAfter(parent, parent.slot + 1, { executionRequests });
  };

  it("queue deposits with the slot of their block", () => {
    const deposit = {
      ...{ pubkey: new Uint8Array(48).fill(1), withdrawalCredentials: new Uint8Array(32) },
      ...{ amount: 5n * COIN, signature: new Uint8Array(96).fill(2), index: 0 },
    };
    const executionRequests = { ...ExecutionRequests.defaultValue(), deposits: [deposit] };
    const post = stateAfter(pre, 6, { executionRequests });
    const { index: _, ...rest } = deposit;
    deepEqual(post.pendingDeposits.getAllReadonlyValues(), [{ ...rest, slot: 6 }]);
  });

  it("let the account of a validator take it out", () => {
    equal(validatorsOf(asked(pre, 2, 0n))[2]!.exitEpoch, 16);
  });

  it("let the account of a compounding validator take what exceeds the smallest stake, a part at a time", () => {
    const rich = changed(pre, 2, { effectiveBalance: 40n * COIN }, 40n * COIN);
    const first = asked(rich, 2, 3n * COIN);
    deepEqual(first.pendingPartialWithdrawals.getAllReadonlyValues(), [
      { validatorIndex: 2, amount: 3n * COIN, withdrawableEpoch: 46 },
    ]);
    equal(validatorsOf(first)[2]!.exitEpoch, FAR_FUTURE_EPOCH);
    equal(asked(first, 2, 1n).pendingPartialWithdrawals.length, 1);
    equal(validatorsOf(asked(first, 2, 0n))[2]!.exitEpoch, FAR_FUTURE_EPOCH);
    const greedy = asked(rich, 2, 2n ** 64n - 1n);
    equal(greedy.pendingPartialWithdrawals.getReadonly(0).amount, 8n * COIN);
    // When its time has come the payload pays it.
    const { withdrawals, partsDone } = getExpectedWithdrawals(advanced(first, 46, params), params);
    equal(partsDone, 1);
    deepEqual(withdrawals, [{ index: 0, validatorIndex: 2, address: ownerOf(2), amount: 3n * COIN }]);
    const paid = extend(first, 46, [], params);
    equal(paid.pendingPartialWithdrawals.length, 0);
    equal(paid.balances.get(2), advanced(first, 46, params).balances.get(2) - 3n * COIN);
  });

  it("are passed over when they ask for what is not theirs or not possible", () => {
    const cases: readonly [string, ConsensusState, bigint, Uint8Array?][] = [
      ["another account", pre, 0n, ownerOf(3)],
      ["no account", changed(pre, 2, { withdrawalCredentials: new Uint8Array(32) }), 0n, new Uint8Array(20)],
      ["not active", changed(pre, 2, { activationEpoch: 16 }), 0n],
      ["leaving", changed(pre, 2, { exitEpoch: 16, withdrawableEpoch: 46 }), 0n],
      ["nothing exceeds", changed(pre, 2, {}, 32n * COIN), 1n],
      ["too little counts", changed(pre, 2, { effectiveBalance: 31n * COIN }, 33n * COIN), 1n],
      [
        "does not compound",
        changed(pre, 2, { withdrawalCredentials: Uint8Array.of(1, ...new Uint8Array(11), ...ownerOf(2)) }),
        1n,
      ],
    ];
    for (const [reason, parent, amount, owner] of cases) {
      const post = asked(parent, 2, amount, owner);
      equal(validatorsOf(post)[2]!.exitEpoch, validatorsOf(parent)[2]!.exitEpoch, reason);
      equal(post.pendingPartialWithdrawals.length, 0, reason);
    }
    const stranger = {
      ...{ sourceAddress: ownerOf(0), validatorPubkey: new Uint8Array(48).fill(9), amount: 0n },
    };
    const executionRequests = { ...ExecutionRequests.defaultValue(), withdrawals: [stranger] };
    deepEqual(validatorsOf(stateAfter(pre, 6, { executionRequests })), validatorsOf(pre));
  });
});

describe("operations: withdrawals", () => {
  const simple = (index: number) => ({
    withdrawalCredentials: Uint8Array.of(1, ...new Uint8Array(11), ...new Uint8Array(20).fill(index)),
  });

  it("pay all of a free balance, and what exceeds the most that counts", () => {
    let state = changed(pre, 1, { exitEpoch: 1, withdrawableEpoch: 6 }, 31n * COIN);
    state = changed(state, 3, simple(3), 33n * COIN);
    state = changed(state, 4, { effectiveBalance: 2048n * COIN }, 2050n * COIN);
    const { withdrawals } = getExpectedWithdrawals(advanced(state, 6, params), params);
    deepEqual(
      withdrawals.map(({ index, validatorIndex, amount }) => [index, validatorIndex, amount / COIN]),
      [
        // Five sweeps over 512 of 6 validators have ended before the fourth.
        [0, 4, 2n],
        [1, 1, 31n],
        [2, 3, 1n],
      ],
    );
    const post = extend(state, 6, [], params);
    deepEqual(
      [1, 3, 4].map((index) => post.balances.get(index) / COIN),
      [0n, 32n, 2048n],
    );
    equal(post.nextWithdrawalIndex, 3);
    deepEqual(getExpectedWithdrawals(advanced(post, 7, params), params).withdrawals, []);
  });

  it("are paid by the payload to the Gwei, in order, and only then", () => {
    let state = changed(pre, 1, simple(1), 33n * COIN);
    state = changed(state, 3, simple(3), 34n * COIN);
    const valid = unsealedBlock(state, 6, [], params);
    const due = valid.body.executionPayload.withdrawals;
    equal(due.length, 2);
    const wrong = [
      [],
      due.slice(1),
      due.toReversed(),
      [...due, due[0]!],
      due.map((withdrawal) => ({ ...withdrawal, amount: withdrawal.amount + 1n })),
      due.map((withdrawal) => ({ ...withdrawal, address: new Uint8Array(20) })),
    ];
    for (const withdrawals of wrong) {
      const executionPayload = { ...valid.body.executionPayload, withdrawals };
      equal(refusalOf({ executionPayload }, state, 6).code, "PAYLOAD_WRONG_WITHDRAWALS");
    }
    const executionPayload = { ...valid.body.executionPayload, withdrawals: due };
    equal(refusalOf({ executionPayload: { ...executionPayload } }, pre, 6).code, "PAYLOAD_WRONG_WITHDRAWALS");
    stateTransition(state, seal(state, valid, params).block, params);
  });

  it("go round the registry when there are more than a payload takes", () => {
    const many = genesisWith(params, equalStakes(40)).state;
    let state = many;
    for (let index = 0; index < 40; index++) state = changed(state, index, simple(index), 33n * COIN);
    const paid: number[] = [];
    for (let slot = 1; slot <= 3; slot++) {
      const { withdrawals } = getExpectedWithdrawals(advanced(state, slot, params), params);
      paid.push(...withdrawals.map(({ validatorIndex }) => validatorIndex));
      state = extend(state, slot, [], params);
    }
    deepEqual(
      paid,
      Array.from({ length: 40 }, (_, index) => index),
    );
    equal(state.nextWithdrawalIndex, 40);
  });
});

const indicesArbitrary = fc.uniqueArray(fc.nat(6), { maxLength: 3 }).map((list) => list.sort());
const rarely = <T>(arbitrary: fc.Arbitrary<T>) =>
  fc.oneof({ weight: 4, arbitrary: fc.constant(undefined) }, arbitrary);
const bodyArbitrary = fc.record({
  proposer: rarely(fc.nat(6)),
  attesters: rarely(fc.tuple(indicesArbitrary, indicesArbitrary, fc.nat(5), fc.nat(5))),
  exit: rarely(fc.tuple(fc.nat(6), fc.constantFrom(0, 3, 2 ** 53 - 1))),
  deposits: fc.array(fc.tuple(fc.nat(7), fc.integer({ min: 1, max: 40 })), { maxLength: 2 }),
  withdrawals: fc.array(fc.tuple(fc.nat(6), fc.nat(6), fc.constantFrom(0n, 1n, 4n * COIN, 2n ** 64n - 1n)), {
    maxLength: 2,
  }),
  isVoted: fc.boolean(),
  emptyBefore: fc.oneof({ weight: 6, arbitrary: fc.constant(0) }, fc.nat(20)),
});
type RandomBody = typeof bodyArbitrary extends fc.Arbitrary<infer T> ? T : never;

function bodyOf(attempt: RandomBody): Body {
  const [first = [], second = [], source = 0, target = 0] = attempt.attesters ?? [];
  const deposit = ([key, coins]: [number, number]) => ({
    pubkey: key < 6 ? validatorsOf(pre)[key]!.pubkey : new Uint8Array(48).fill(key),
    ...{ withdrawalCredentials: new Uint8Array(32), amount: BigInt(coins) * COIN },
    ...{ signature: NO_SIGNATURE, index: 0 },
  });
  const request = ([key, owner, amount]: [number, number, bigint]) => ({
    sourceAddress: new Uint8Array(20).fill(owner),
    validatorPubkey: validatorsOf(pre)[key]?.pubkey ?? new Uint8Array(48),
    amount,
  });
  return {
    proposerSlashings: attempt.proposer === undefined ? [] : [doubleProposal(attempt.proposer)],
    attesterSlashings:
      attempt.attesters === undefined ? [] : [evidence(first, second, [data(source, target), data(1, 4)])],
    voluntaryExits: attempt.exit === undefined ? [] : [exitOf(...attempt.exit)],
    executionRequests: {
      deposits: attempt.deposits.map(deposit),
      withdrawals: attempt.withdrawals.map(request),
    },
  };
}

/** What the block's own rules say it brings in and takes out, from the states around it. */
function changeOfStake(before: ConsensusState, block: BeaconBlock, post: ConsensusState, isPaid: boolean) {
  const { executionRequests, executionPayload } = block.body;
  const sum = (list: readonly { readonly amount: bigint }[]) =>
    list.reduce((total, { amount }) => total + amount, 0n);
  let change = sum(executionRequests.deposits) - sum(executionPayload.withdrawals);
  const slashed = validatorsOf(post).filter(
    (validator, index) => validator.slashed && !validatorsOf(before)[index]!.slashed,
  );
  for (const { effectiveBalance } of slashed) change += effectiveBalance / 512n - effectiveBalance / 128n;
  if (!isPaid) return change;
  // All members of the slot's committee hit target and head, once.
  const active = validatorsOf(before).filter(
    ({ activationEpoch, exitEpoch }) => activationEpoch <= block.slot && block.slot < exitEpoch,
  );
  const stake = active.reduce((total, { effectiveBalance }) => total + effectiveBalance, 0n);
  const perIncrement = (COIN * params.baseRewardFactor) / integerSquareRoot(stake);
  const voters = validatorsOf(before).filter(
    ({ activationEpoch, exitEpoch }) => activationEpoch < block.slot && block.slot - 1 < exitEpoch,
  );
  const voted = voters.reduce((total, { effectiveBalance }) => total + effectiveBalance / COIN, 0n);
  return change + (voted * 56n * perIncrement * 8n) / (56n * 64n * 8n);
}

describe("operations: the life of a validator", () => {
  const everyoneOf = (state: ConsensusState) => [...state.validators.getAllReadonlyValues().keys()];
  /** Blocks up to `lastSlot`, each with all votes of the slot before. */
  const voted = (start: ConsensusState, lastSlot: number) => {
    let state = start;
    for (let slot = start.slot + 1; slot <= lastSlot; slot++) {
      const at = advanced(state, slot, params);
      state = extend(
        state,
        slot,
        [voteOf(at, honestData(at, slot - 1, params), everyoneOf(at), params)],
        params,
      );
    }
    return state;
  };

  it("begins with a deposit that becomes final, and ends with its stake in the account", () => {
    const secretKey = interopSecretKey(77);
    const account = new Uint8Array(20).fill(0xac);
    const message = {
      ...{ pubkey: blsPublicKey(secretKey), amount: 40n * COIN },
      withdrawalCredentials: compoundingCredentials(account),
    };
    const deposit = {
      ...message,
      signature: blsSign(secretKey, depositSigningRoot(message, params)),
      index: 0,
    };
    const executionRequests = { ...containers.ExecutionRequests.defaultValue(), deposits: [deposit] };
    // Made at slot 6, final at slot 9, taken in at 16, queued at 24, activated at 32 for 48.
    let state = voted(stateAfter(pre, 6, { executionRequests }), 15);
    equal(state.validators.length, 6);
    state = voted(state, 48);
    const joined = validatorsOf(state)[6]!;
    deepEqual(
      [joined.activationEligibilityEpoch, joined.activationEpoch, joined.effectiveBalance],
      [25, 48, 40n * COIN],
    );
    equal(state.ffgWeights.get(48 / 8).get(6), 40);
    state = voted(state, 64);
    equal(state.finalized.epoch, 62);
    ok(state.balances.get(6) > 40n * COIN, "it votes and earns");

    state = stateAfter(state, 65, { voluntaryExits: [exitOf(6, 65)] });
    equal(validatorsOf(state)[6]!.exitEpoch, 80);
    state = voted(state, 109);
    equal(state.ffgWeights.get((104 / 8) % params.randaoMixesLength).get(6), 0);
    const stake = state.balances.get(6);
    ok(stake > 40n * COIN);
    const block = unsealedBlock(state, 110, [], params);
    deepEqual(block.body.executionPayload.withdrawals, [
      { index: 0, validatorIndex: 6, address: account, amount: stake },
    ]);
    equal(seal(state, block, params).state.balances.get(6), 0n);
  });
});

describe("operations: any blocks", () => {
  it("are valid or refused with a code, change nothing when refused, and account for all stake", function () {
    this.timeout(60_000);
    let accepted = 0;
    let refused = 0;
    fc.assert(
      fc.property(fc.array(bodyArbitrary, { minLength: 1, maxLength: 10 }), (bodies) => {
        let state = pre;
        for (const attempt of bodies) {
          const slot = state.slot + 1 + attempt.emptyBefore;
          const at = advanced(state, slot, params);
          const isVoted = attempt.isVoted && attempt.emptyBefore === 0;
          const attestations = isVoted
            ? [
                voteOf(
                  at,
                  honestData(at, slot - 1, params),
                  [...at.validators.getAllReadonlyValues().keys()],
                  params,
                ),
              ]
            : [];
          const block = blockWith(state, slot, { ...bodyOf(attempt), attestations });
          if (at.validators.getReadonly(block.proposerIndex).slashed) continue;
          const bytes = state.serialize();
          let post: ConsensusState;
          try {
            post = applyBlock(state, block, params);
          } catch (error) {
            ok(error instanceof BlockError, String(error));
            deepEqual(state.serialize(), bytes);
            refused++;
            continue;
          }
          accepted++;
          post.commit();
          at.commit();
          const total = (each: ConsensusState) =>
            totalStake({
              balances: each.balances.getAll(),
              pending: each.pendingDeposits.getAllReadonlyValues(),
            });
          equal(total(post) - total(at), changeOfStake(at, block, post, isVoted));
          state = post;
        }
      }),
      { numRuns: 200 },
    );
    ok(accepted > 20 && refused > 20, `${accepted} accepted, ${refused} refused`);
  });
});
