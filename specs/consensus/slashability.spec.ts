import { deepEqual, equal } from "node:assert/strict";
import fc from "fast-check";
import { containersOf } from "../../consensus/chain-containers.ts";
import { type AttestationData, ProposerSlashing, Validator } from "../../consensus/containers.ts";
import { TESTNET_PARAMS } from "../../consensus/presets.ts";
import {
  equivocatorsOf,
  isSlashableAttestationData,
  isSlashableProposal,
  isSlashableValidator,
} from "../../consensus/slashability.ts";
import { FAR_FUTURE_EPOCH } from "../../consensus/time.ts";

const root = (byte: number) => new Uint8Array(32).fill(byte);

function vote(source: number, target: number, changes: Partial<AttestationData> = {}): AttestationData {
  return {
    slot: target,
    index: 0,
    beaconBlockRoot: root(1),
    source: { epoch: source, root: root(2) },
    target: { epoch: target, root: root(3) },
    ...changes,
  };
}

describe("slashable votes", () => {
  it("are two different ones for one target epoch", () => {
    equal(isSlashableAttestationData(vote(1, 5), vote(1, 5)), false);
    equal(isSlashableAttestationData(vote(1, 5), vote(2, 5)), true);
    equal(isSlashableAttestationData(vote(1, 5), vote(1, 5, { beaconBlockRoot: root(9) })), true);
    equal(isSlashableAttestationData(vote(1, 5), vote(1, 5, { slot: 6 })), true);
  });

  it("are one around another", () => {
    // 1 ─────────── 6
    //    2 ─── 5
    equal(isSlashableAttestationData(vote(1, 6), vote(2, 5)), true);
    equal(isSlashableAttestationData(vote(2, 5), vote(1, 6)), false);
    equal(isSlashableAttestationData(vote(1, 6), vote(1, 5)), false);
    equal(isSlashableAttestationData(vote(1, 6), vote(2, 7)), false);
  });

  it("never come from a voter whose targets rise and whose sources do not fall", () => {
    const step = fc.tuple(fc.nat(4), fc.integer({ min: 1, max: 4 }));
    fc.assert(
      fc.property(fc.array(step, { maxLength: 12 }), (steps) => {
        let source = 0;
        let target = 0;
        const votes = steps.map(([sourceStep, targetStep]) => {
          target += targetStep;
          source = Math.min(source + sourceStep, target - 1);
          return vote(source, target);
        });
        for (const [i, later] of votes.entries()) {
          for (const earlier of votes.slice(0, i)) {
            equal(isSlashableAttestationData(earlier, later), false);
            equal(isSlashableAttestationData(later, earlier), false);
          }
        }
      }),
    );
  });

  it("slash those who signed both", () => {
    const { AttesterSlashing } = containersOf(TESTNET_PARAMS);
    const slashing = AttesterSlashing.defaultValue();
    slashing.attestation1.attestingIndices = [1, 3, 5, 8];
    slashing.attestation2.attestingIndices = [0, 3, 8, 9];
    deepEqual(equivocatorsOf(slashing), [3, 8]);
  });
});

describe("slashable proposals", () => {
  const slashing = ProposerSlashing.defaultValue();
  const header = { ...slashing.signedHeader1.message, slot: 4, proposerIndex: 2 };
  const pair = (changes: Partial<typeof header>) => ({
    signedHeader1: { message: header, signature: new Uint8Array(96) },
    signedHeader2: { message: { ...header, ...changes }, signature: new Uint8Array(96) },
  });

  it("are two different headers of one proposer for one slot", () => {
    equal(isSlashableProposal(pair({ bodyRoot: root(1) })), true);
    equal(isSlashableProposal(pair({})), false);
    equal(isSlashableProposal(pair({ slot: 5 })), false);
    equal(isSlashableProposal(pair({ proposerIndex: 3 })), false);
  });
});

describe("slashable validators", () => {
  it("have their stake here and were not slashed before", () => {
    const validator = { ...Validator.defaultValue(), activationEpoch: 4, withdrawableEpoch: 9 };
    deepEqual(
      [3, 4, 8, 9].map((epoch) => isSlashableValidator(validator, epoch)),
      [false, true, true, false],
    );
    equal(isSlashableValidator({ ...validator, slashed: true }, 5), false);
    equal(isSlashableValidator({ ...validator, withdrawableEpoch: FAR_FUTURE_EPOCH }, 1e9), true);
  });
});
