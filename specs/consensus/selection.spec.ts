import { deepEqual, equal, notDeepEqual, ok } from "node:assert/strict";
import { BitArray } from "@chainsafe/ssz";
import fc from "fast-check";
import { containersOf } from "../../consensus/chain-containers.ts";
import { AttestationData } from "../../consensus/containers.ts";
import { getAttestingIndices, hasAscendingIndices } from "../../consensus/indexed-attestation.ts";
import type { ChainParams } from "../../consensus/params.ts";
import { createParams, TESTNET_PARAMS } from "../../consensus/presets.ts";
import { getActiveIndices, getRegistry } from "../../consensus/registry.ts";
import { getCommittees, getSeed } from "../../consensus/selection.ts";
import {
  attestationSigningRoot,
  blockSigningRoot,
  bodySignatureSets,
  headerSignatureSet,
  randaoSigningRoot,
} from "../../consensus/signature-sets.ts";
import {
  computeDomain,
  computeForkDigest,
  computeSigningRoot,
  DOMAIN_BEACON_ATTESTER,
  DOMAIN_BEACON_PROPOSER,
  DOMAIN_DEPOSIT,
  DOMAIN_RANDAO,
  getDomain,
} from "../../consensus/signing-root.ts";
import type { ConsensusState } from "../../consensus/state.ts";
import { FAR_FUTURE_EPOCH } from "../../consensus/time.ts";
import { blsAggregateSignatures, blsSign, blsVerifySets } from "../../primitives/bls.ts";
import { concatBytes, toHex } from "../../primitives/bytes.ts";
import { sha256 } from "../../primitives/hash.ts";
import { interopSecretKey } from "../../primitives/interop-keys.ts";
import {
  advanced,
  equalStakes,
  genesisWith,
  honestData,
  seal,
  unsealedBlock,
  voteOf,
} from "./hand-made-chain.ts";

/** A state with so many active validators, whose keys nobody looks at. */
function stateOf(count: number, params: ChainParams): ConsensusState {
  const { BeaconState } = containersOf(params);
  const state = BeaconState.defaultViewDU();
  const validator = {
    ...BeaconState.fields.validators.elementType.defaultValue(),
    effectiveBalance: 32_000_000_000n,
    exitEpoch: FAR_FUTURE_EPOCH,
  };
  state.validators = BeaconState.fields.validators.toViewDU(
    new Array<typeof validator>(count).fill(validator),
  );
  state.commit();
  return state;
}

function withSlotsPerEpoch(slotsPerEpoch: number): ChainParams {
  return createParams("testnet", {
    forks: [{ version: "0x6a000002", firstSlot: 0, firstEpoch: 0, slotsPerEpoch }],
    timelyTargetSlots: 16,
  });
}

describe("selection: active validators", () => {
  it("are those between their activation and exit epoch", () => {
    const params = TESTNET_PARAMS;
    const state = stateOf(4, params);
    const change = (index: number, activationEpoch: number, exitEpoch: number) =>
      state.validators.set(index, { ...state.validators.get(index), activationEpoch, exitEpoch });
    change(1, 64, FAR_FUTURE_EPOCH);
    change(2, 0, 64);
    change(3, FAR_FUTURE_EPOCH, FAR_FUTURE_EPOCH);
    state.commit();
    const active = (epoch: number) => [...getActiveIndices(getRegistry(state, params), epoch, params)];
    deepEqual(
      [active(0), active(63), active(64)],
      [
        [0, 2],
        [0, 2],
        [0, 1],
      ],
    );
  });
});

describe("selection: seed", () => {
  it("uses the mix two periods before, so the running period does not change its own committees", () => {
    const params = TESTNET_PARAMS;
    const state = stateOf(4, params);
    const mix = (byte: number) => new Uint8Array(32).fill(byte);
    state.randaoMixes.set(3, mix(3));
    const expected = sha256(
      concatBytes(DOMAIN_BEACON_ATTESTER, Uint8Array.of(5, 0, 0, 0, 0, 0, 0, 0), mix(3)),
    );
    deepEqual(getSeed(state, 5, DOMAIN_BEACON_ATTESTER, params), expected);
    notDeepEqual(getSeed(state, 5, DOMAIN_BEACON_PROPOSER, params), expected);
    const before = [0, 1].map((period) => getSeed(state, period, DOMAIN_BEACON_ATTESTER, params));
    state.randaoMixes.set(0, mix(9));
    deepEqual(
      [0, 1].map((period) => getSeed(state, period, DOMAIN_BEACON_ATTESTER, params)),
      before,
    );
  });
});

describe("selection: committees", () => {
  it("are everybody by index, where all vote in each slot", () => {
    const state = stateOf(2048, TESTNET_PARAMS);
    for (const slot of [0, 5, 31]) {
      deepEqual(getCommittees(state, slot, TESTNET_PARAMS), [
        Uint32Array.from({ length: 2048 }, (_, i) => i),
      ]);
    }
  });

  it("contain every active validator once per epoch, for every size and epoch length", () => {
    const arbitrary = fc.tuple(fc.integer({ min: 1, max: 9000 }), fc.constantFrom(1, 2, 8, 16));
    fc.assert(
      fc.property(arbitrary, ([count, slotsPerEpoch]) => {
        const params = withSlotsPerEpoch(slotsPerEpoch);
        const state = stateOf(count, params);
        const slots = Array.from({ length: slotsPerEpoch }, (_, index) => 2 * slotsPerEpoch + index);
        const committees = slots.map((slot) => getCommittees(state, slot, params));
        const members = committees.flat().flatMap((committee) => [...committee]);
        deepEqual(
          members.toSorted((a, b) => a - b),
          Array.from({ length: count }, (_, index) => index),
        );
        for (const ofSlot of committees) {
          const sizes = ofSlot.map((committee) => committee.length);
          const voters = sizes.reduce((sum, size) => sum + size, 0);
          equal(ofSlot.length, voters <= 2048 ? 1 : Math.min(64, Math.floor(voters / 128)));
          ok(Math.max(...sizes) - Math.min(...sizes) <= 1);
        }
      }),
      { numRuns: 15 },
    );
  });

  it("change from epoch to epoch, and not with the state's slot", () => {
    const params = withSlotsPerEpoch(8);
    const state = stateOf(64, params);
    notDeepEqual(getCommittees(state, 8, params), getCommittees(state, 16, params));
    const before = getCommittees(state, 8, params).map((committee) => [...committee]);
    state.slot = 20;
    deepEqual(
      getCommittees(state, 8, params).map((committee) => [...committee]),
      before,
    );
  });
});

describe("selection: aggregates", () => {
  it("name the members of their committees whose bit is set, ascending", () => {
    const state = stateOf(3000, TESTNET_PARAMS);
    const committees = getCommittees(state, 1, TESTNET_PARAMS);
    equal(committees.length, 23);
    const committeeBits = BitArray.fromBitLen(64);
    committeeBits.set(2, true);
    committeeBits.set(7, true);
    const aggregationBits = BitArray.fromBitLen(committees[2]!.length + committees[7]!.length);
    aggregationBits.set(1, true);
    aggregationBits.set(committees[2]!.length, true);
    const data = { ...AttestationData.defaultValue(), slot: 1 };
    const attestation = { data, committeeBits, aggregationBits, signature: new Uint8Array(96) };
    deepEqual(
      getAttestingIndices(state, attestation, TESTNET_PARAMS),
      [committees[2]![1]!, committees[7]![0]!].sort((a, b) => a - b),
    );
  });

  it("as evidence have ascending indices", () => {
    const evidence = containersOf(TESTNET_PARAMS).IndexedAttestation.defaultValue();
    deepEqual(
      [[], [0], [0, 3], [1, 1], [2, 1]].map((attestingIndices) =>
        hasAscendingIndices({ ...evidence, attestingIndices }),
      ),
      [false, true, true, false, false],
    );
  });
});

describe("selection: signing", () => {
  it("domains are Ethereum's: mainnet's deposit domain and fork digest", () => {
    const zero = new Uint8Array(32);
    equal(
      toHex(computeDomain(DOMAIN_DEPOSIT, new Uint8Array(4), zero)),
      "0x03000000f5a5fd42d16a20302798ef6ed309979b43003d2320d9f0e8ea9831a9",
    );
    const mainnet = Uint8Array.from(
      Buffer.from("4b363db94e286120d76eb905340fdd4e54bfe9f06bf33ff6cf5ad27f511bfe95", "hex"),
    );
    equal(toHex(computeForkDigest(new Uint8Array(4), mainnet)), "0xb5303f2a");
  });

  it("follow the fork of the message's epoch", () => {
    const forks = [
      { version: "0x00000001", firstSlot: 0, firstEpoch: 0, slotsPerEpoch: 1 },
      { version: "0x00000002", firstSlot: 64, firstEpoch: 64, slotsPerEpoch: 1 },
    ] as const;
    const params = createParams("testnet", { forks });
    const root = new Uint8Array(32).fill(7);
    const at = (epoch: number) => getDomain(DOMAIN_RANDAO, epoch, root, params);
    deepEqual(at(63), computeDomain(DOMAIN_RANDAO, Uint8Array.of(0, 0, 0, 1), root));
    deepEqual(at(64), computeDomain(DOMAIN_RANDAO, Uint8Array.of(0, 0, 0, 2), root));
  });

  it("is over the root of the object and the domain", () => {
    const data = AttestationData.defaultValue();
    const domain = new Uint8Array(32).fill(9);
    deepEqual(
      computeSigningRoot(AttestationData, data, domain),
      sha256(concatBytes(AttestationData.hashTreeRoot(data), domain)),
    );
  });

  it("of a block verifies in one batch, and fails with any signature exchanged", () => {
    const params = TESTNET_PARAMS;
    const { state: genesis } = genesisWith(params, equalStakes(4));
    const key = interopSecretKey;
    const first = seal(genesis, unsealedBlock(genesis, 1, [], params), params).state;
    const at = advanced(first, 2, params);
    const data = honestData(at, 1, params);
    const signature = blsAggregateSignatures(
      [1, 3].map((index) => blsSign(key(index), attestationSigningRoot(at, data, params))),
    );
    const vote = { ...voteOf(at, data, [1, 3], params), signature };
    const draft = unsealedBlock(first, 2, [vote], params);
    draft.body.randaoReveal = blsSign(key(draft.proposerIndex), randaoSigningRoot(at, 2, params));
    const { block: message, state: post } = seal(first, draft, params);
    const { body, ...fields } = message;
    const bodyRoot = containersOf(params).BeaconBlockBody.hashTreeRoot(body);
    const header = {
      message: { ...fields, bodyRoot },
      signature: blsSign(key(message.proposerIndex), blockSigningRoot(at, message, params)),
    };
    const sets = [headerSignatureSet(first, header, params), ...bodySignatureSets(post, message, params)];
    deepEqual(
      sets.map((set) => set.publicKeys.length),
      [1, 1, 2],
    );
    equal(blsVerifySets(sets), true);
    for (const [index, set] of sets.entries()) {
      const exchanged = { ...set, signature: sets[(index + 1) % 3]!.signature };
      equal(blsVerifySets(sets.with(index, exchanged)), false);
    }
  });
});
