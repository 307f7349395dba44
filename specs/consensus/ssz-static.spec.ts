import { deepEqual, equal } from "node:assert/strict";
import {
  BitListType,
  CompositeType,
  type CompositeTypeAny,
  ContainerType,
  ListBasicType,
  type Type,
  UintBigintType,
  UintNumberType,
} from "@chainsafe/ssz";
import { parse } from "yaml";
import { containersOf } from "../../consensus/chain-containers.ts";
import * as containers from "../../consensus/containers.ts";
import { DEVNET_PARAMS } from "../../consensus/presets.ts";
import { ValueContainerType } from "../../consensus/value-container.ts";
import { toHex } from "../../primitives/bytes.ts";
import { Bytes96, SszError, Uint53 } from "../../primitives/ssz-types.ts";
import { readTarGz } from "../support/tar.ts";
import { vectorsPath } from "../support/vectors.ts";

/** Phase0's MAX_VALIDATORS_PER_COMMITTEE. */
const COMMITTEE_LIMIT = 2048;
const { IndexedAttestation, AttesterSlashing } = containersOf({
  ...DEVNET_PARAMS,
  maxValidatorsPerSlot: COMMITTEE_LIMIT,
});

/** Phase0's attestation, before EIP-7549 added committee bits; and its aggregates. */
const Attestation = new ContainerType(
  {
    aggregationBits: new BitListType(COMMITTEE_LIMIT),
    data: containers.AttestationData,
    signature: Bytes96,
  },
  { typeName: "Attestation", jsonCase: "eth2" },
);
const AggregateAndProof = new ContainerType(
  { aggregatorIndex: Uint53, aggregate: Attestation, selectionProof: Bytes96 },
  { typeName: "AggregateAndProof", jsonCase: "eth2" },
);
const SignedAggregateAndProof = new ContainerType(
  { message: AggregateAndProof, signature: Bytes96 },
  { typeName: "SignedAggregateAndProof", jsonCase: "eth2" },
);

const types: Record<string, CompositeTypeAny> = {
  AggregateAndProof,
  Attestation,
  AttestationData: containers.AttestationData,
  AttesterSlashing,
  BeaconBlockHeader: containers.BeaconBlockHeader,
  Checkpoint: containers.Checkpoint,
  DepositData: containers.DepositData,
  DepositMessage: containers.DepositMessage,
  Fork: containers.Fork,
  ForkData: containers.ForkData,
  IndexedAttestation,
  ProposerSlashing: containers.ProposerSlashing,
  SignedAggregateAndProof,
  SignedBeaconBlockHeader: containers.SignedBeaconBlockHeader,
  SignedVoluntaryExit: containers.SignedVoluntaryExit,
  SigningData: containers.SigningData,
  Validator: containers.Validator,
  VoluntaryExit: containers.VoluntaryExit,
};

/** The same shape with every uint64 a bigint: the vectors use all 64 bits. */
function withBigints(type: Type<unknown>): Type<unknown> {
  if (type instanceof UintNumberType && type.byteLength === 8) return new UintBigintType(8);
  if (type instanceof ListBasicType) {
    return new ListBasicType(withBigints(type.elementType) as UintBigintType, type.limit);
  }
  const plain = type instanceof ValueContainerType ? type.plain : type;
  if (!(plain instanceof ContainerType)) return type;
  const fields = Object.fromEntries(
    Object.entries(plain.fields as Record<string, Type<unknown>>).map(([name, field]) => [
      name,
      withBigints(field),
    ]),
  );
  return type instanceof ValueContainerType
    ? new ValueContainerType(fields, plain.opts)
    : new ContainerType(fields, plain.opts);
}

describe("containers: ssz_static of consensus-spec-tests v0.12.3 (minimal, phase0)", () => {
  let files: Map<string, Uint8Array>;
  before(function () {
    files = readTarGz(vectorsPath(this, "consensus-spec-tests-v0.12.3", "core.tgz"));
  });

  const casesOf = (name: string) =>
    [...files.keys()]
      .filter((path) => path.includes(`/ssz_static/${name}/`) && path.endsWith("/roots.yaml"))
      .map((path) => {
        const text = (file: string) =>
          Buffer.from(files.get(path.replace("roots.yaml", file))!).toString("utf8");
        return {
          root: (parse(text("roots.yaml")) as { root: string }).root,
          serialized: Uint8Array.from(files.get(path.replace("roots.yaml", "serialized.ssz"))!),
          valueText: text("value.yaml"),
        };
      });

  it("are 18 containers", () => {
    const names = new Set(
      [...files.keys()].flatMap((path) => path.match(/\/ssz_static\/(\w+)\//)?.[1] ?? []),
    );
    deepEqual([...names].sort(), Object.keys(types).sort());
  });

  for (const [name, type] of Object.entries(types)) {
    it(`${name} has the same value, bytes and root`, () => {
      const exact = withBigints(type);
      if (!(exact instanceof CompositeType)) throw new Error(`${name} is a container`);
      const cases = casesOf(name);
      equal(cases.length, 123);
      for (const { root, serialized, valueText } of cases) {
        const value = exact.deserialize(serialized);
        deepEqual(value, exact.fromJson(parse(valueText, { intAsBigInt: true })));
        equal(toHex(exact.hashTreeRoot(value)), root);
        equal(toHex(exact.serialize(value)), toHex(serialized));
        equal(toHex(exact.value_toTree(value).root), root);
      }
    });

    it(`${name} with number slots reads exactly, or refuses`, () => {
      for (const { root, serialized } of casesOf(name)) {
        let value: unknown;
        try {
          value = type.deserialize(serialized);
        } catch (error) {
          if (!(error instanceof SszError)) throw error;
          continue;
        }
        equal(toHex(type.hashTreeRoot(value)), root);
        equal(toHex(type.serialize(value)), toHex(serialized));
      }
    });
  }
});
