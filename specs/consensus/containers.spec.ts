import { deepEqual, equal, notEqual, throws } from "node:assert/strict";
import { BitArray, ContainerType, ListCompositeType } from "@chainsafe/ssz";
import fc from "fast-check";
import { containersOf } from "../../consensus/chain-containers.ts";
import { AttestationData, Checkpoint, Validator } from "../../consensus/containers.ts";
import { createParams, TESTNET_PARAMS } from "../../consensus/presets.ts";
import { forkState, getStateRoot } from "../../consensus/state.ts";
import { FAR_FUTURE_EPOCH } from "../../consensus/time.ts";
import { ValueContainerType } from "../../consensus/value-container.ts";
import { toHex } from "../../primitives/bytes.ts";
import { Root, SszError, Uint53 } from "../../primitives/ssz-types.ts";
import { equalStakes, genesisWith } from "./hand-made-chain.ts";

const params = TESTNET_PARAMS;

describe("containers: numbers", () => {
  const tooLarge = { name: "SszError", detail: { code: "SSZ_NUMBER_TOO_LARGE", value: 2 ** 53 } };

  it("above 2^53 − 1 are refused, read or written, alone or in a list", () => {
    const bytes = new Uint8Array(40);
    bytes[6] = 0x20;
    throws(() => Checkpoint.deserialize(bytes), tooLarge);
    throws(() => Checkpoint.deserializeToViewDU(bytes), tooLarge);
    throws(() => Checkpoint.serialize({ epoch: 2 ** 53, root: new Uint8Array(32) }), tooLarge);

    const { IndexedAttestation } = containersOf(params);
    const evidence = IndexedAttestation.defaultValue();
    evidence.attestingIndices = [2 ** 53 - 1];
    const written = IndexedAttestation.serialize(evidence);
    deepEqual(IndexedAttestation.deserialize(written).attestingIndices, [2 ** 53 - 1]);
    evidence.attestingIndices = [2 ** 53];
    throws(() => IndexedAttestation.serialize(evidence), tooLarge);
    throws(() => IndexedAttestation.deserialize(written.fill(0xff, -8)), SszError);
  });

  it("never is 2^64 − 1, and only where it may be", () => {
    const validator = { ...Validator.defaultValue(), exitEpoch: FAR_FUTURE_EPOCH };
    const bytes = Validator.serialize(validator);
    deepEqual(bytes.subarray(105, 113), new Uint8Array(8).fill(0xff));
    deepEqual(Validator.deserialize(bytes), validator);
    throws(() => Checkpoint.deserialize(new Uint8Array(40).fill(0xff)), SszError);
  });
});

describe("containers: values in the tree", () => {
  const shape = { epoch: Uint53, root: Root };
  const plainList = new ListCompositeType(new ContainerType(shape), 64);
  const valueList = new ListCompositeType(new ValueContainerType(shape, { typeName: "Value" }), 64);
  const checkpoints = fc.array(
    fc.record(
      { epoch: fc.nat(), root: fc.uint8Array({ minLength: 32, maxLength: 32 }) },
      { noNullPrototype: true },
    ),
    { maxLength: 20 },
  );

  it("have the bytes and root of a plain container, hashed one by one or in batches", () => {
    fc.assert(
      fc.property(checkpoints, checkpoints, (first, second) => {
        const all = [...first, ...second];
        const plain = plainList.toViewDU(all);
        const values = valueList.toViewDU(first);
        equal(toHex(values.hashTreeRoot()), toHex(plainList.hashTreeRoot(first)));
        for (const checkpoint of second) values.push(checkpoint);
        equal(toHex(values.batchHashTreeRoot()), toHex(plain.batchHashTreeRoot()));
        deepEqual(values.serialize(), plain.serialize());
        deepEqual(valueList.deserializeToViewDU(plain.serialize()).toValue(), all);
      }),
    );
  });

  it("are read as data and replaced, never changed", () => {
    const list = valueList.toViewDU([{ epoch: 1, root: new Uint8Array(32) }]);
    const copy = list.clone();
    copy.set(0, { ...copy.get(0), epoch: 2 });
    copy.commit();
    deepEqual([list.get(0).epoch, copy.get(0).epoch], [1, 2]);
    notEqual(toHex(list.hashTreeRoot()), toHex(copy.hashTreeRoot()));
  });
});

describe("containers: the state", () => {
  it("keeps bytes and root through a round trip", () => {
    const { BeaconState } = containersOf(params);
    const { state } = genesisWith(params, equalStakes(4));
    const bytes = state.serialize();
    const reread = BeaconState.deserializeToViewDU(bytes);
    equal(toHex(getStateRoot(reread)), toHex(getStateRoot(state)));
    equal(toHex(BeaconState.hashTreeRoot(BeaconState.deserialize(bytes))), toHex(getStateRoot(state)));
    deepEqual(reread.serialize(), bytes);
  });

  it("forks into drafts that do not see each other's changes, pending or not", () => {
    const { state } = genesisWith(params, equalStakes(4));
    const root = toHex(getStateRoot(state));
    const draft = forkState(state);
    draft.slot = 7;
    draft.balances.set(2, 5n);
    const second = forkState(draft);
    second.slot = 9;
    second.balances.set(2, 6n);
    deepEqual(
      [state, draft, second].map((each) => [each.slot, each.balances.get(2)]),
      [
        [0, 32_000_000_000n],
        [7, 5n],
        [9, 6n],
      ],
    );
    equal(toHex(getStateRoot(state)), root);
  });

  it("has one set of containers per parameter set", () => {
    equal(containersOf(params), containersOf(params));
    notEqual(containersOf(createParams("testnet")), containersOf(params));
  });
});

describe("containers: limits", () => {
  it("refuse bytes beyond them", () => {
    const { Attestation, SingleAttestations } = containersOf(
      createParams("testnet", { maxValidatorsPerSlot: 2048 }),
    );
    const attestation = {
      ...Attestation.defaultValue(),
      data: AttestationData.defaultValue(),
      aggregationBits: BitArray.fromBitLen(2048),
    };
    const bytes = Attestation.serialize(attestation);
    deepEqual(Attestation.deserialize(bytes), attestation);
    const longer = containersOf(params).Attestation.serialize({
      ...attestation,
      aggregationBits: BitArray.fromBitLen(2049),
    });
    throws(() => Attestation.deserialize(longer));
    throws(() => Attestation.deserialize(bytes.subarray(0, -1)));
    throws(() => SingleAttestations.deserialize(new Uint8Array(2049 * 240)));
  });
});
