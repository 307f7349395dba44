/** Scenarios about who is a validator and what it has: deposits, exits, slashings, the leak; and Twins. See specs/simulation/scenarios.md. */
import type { DepositRequest } from "../../consensus/containers.ts";
import { depositSigningRoot } from "../../consensus/process-pending-deposits.ts";
import { exitSignatureSet } from "../../consensus/signature-sets.ts";
import { getState } from "../../consensus/state-cache.ts";
import { compoundingCredentials } from "../../consensus/withdrawal-credentials.ts";
import { blsPublicKey, blsSign } from "../../primitives/bls.ts";
import { interopSecretKey } from "../../primitives/interop-keys.ts";
import { signCheaply } from "../support/consensus-stand-ins.ts";
import { equivocate, includeAgain, until } from "./byzantine.ts";
import { slotsToFinality } from "./findings.ts";
import { awayPart, GOOD_LINKS } from "./honest-scenarios.ts";
import type { Part, Scenario } from "./plan.ts";
import type { Simulation } from "./simulation.ts";
import { FAST_STAKING, simulatorParams } from "./simulator-params.ts";
import { must } from "./violation.ts";

const COIN = 1_000_000_000n;
const deposits = new Map<string, DepositRequest>();

/** A deposit for the validator with this key, new or not; its proof is real, since the state transition checks it. */
function deposit(key: number, coins: bigint): DepositRequest {
  const name = `${key} ${coins}`;
  let request = deposits.get(name);
  if (request === undefined) {
    const secretKey = interopSecretKey(key);
    const withdrawalCredentials = compoundingCredentials(new Uint8Array(20).fill(key + 1));
    const message = { pubkey: blsPublicKey(secretKey), withdrawalCredentials, amount: coins * COIN };
    const signature = blsSign(secretKey, depositSigningRoot(message, simulatorParams(FAST_STAKING)));
    request = { ...message, signature, index: 0 };
    deposits.set(name, request);
  }
  return request;
}

/** One whose key signed nothing of the kind: whoever sent it has lost it. */
function unproven(key: number): DepositRequest {
  const { signature } = deposit(key + 1, 32n);
  return { ...deposit(key, 32n), signature };
}

/** The validator's wish to leave, to all nodes at once. */
function leave(simulation: Simulation, validatorIndex: number): void {
  const message = { epoch: 0, validatorIndex };
  for (const node of simulation.nodes) {
    const state = getState(node.engine.states, node.engine.store.headRoot);
    if (state === undefined || !node.isOnline) continue;
    const unsigned = { message, signature: new Uint8Array(96) };
    const root = exitSignatureSet(state, unsigned, simulation.params).message;
    const exit = { message, signature: signCheaply(simulation.publicKeys[validatorIndex]!, root) };
    const operation = { kind: "voluntaryExit", exit } as const;
    node.feed({ type: "operationReceived", operation, messageId: `exit ${validatorIndex}` });
  }
}

const stakes: Scenario = {
  summary:
    "deposits, top-ups, exits, two slashings, a stall: stake moves by the naive books and nothing else",
  plan(seed, { slots = 96 }) {
    // Ten keys on eight nodes.
    const keys = (node: number): readonly number[] => (node < 2 ? [node, node + 8] : [node]);
    const exits = [2 + (seed % 3), 5, 8];
    return {
      ...{ name: "stakes", nodes: 8, slots, links: GOOD_LINKS, validatorsOf: keys, validators: 10 },
      params: FAST_STAKING,
      isPaidOut: (validator) => validator % 2 === 1,
      requestsAt: (slot) => ({
        // New keys before and in the stall, and something less than what moves an effective balance, and more.
        ...(slot >= 4 && slot < 8 ? { deposits: [deposit(20 + slot, 32n)] } : {}),
        ...(slot >= 30 && slot < 33 ? { deposits: [deposit(20 + slot, 32n), deposit(4, 1n)] } : {}),
        ...([8, 9, 11].includes(slot) ? { deposits: [unproven(60)] } : {}),
        ...(slot === 10 || slot === 12 ? { deposits: [deposit(6, 3n)] } : {}),
      }),
      parts: [
        { label: "7: equivocate", byzantine: () => [7], behave: until(14, equivocate) },
        { label: "6: equivocate and take pay twice", byzantine: () => [6], behave: until(60, includeAgain) },
        {
          label: "exits",
          steps: [
            [
              12_300,
              (simulation) =>
                exits.forEach((validator) => {
                  leave(simulation, validator);
                }),
            ],
          ],
        },
        // With the one that was slashed more than a third: nothing is final, and the leak begins.
        awayPart("sleep of 3", [3, 4, 5], 26, 50),
      ],
      check(report) {
        const resumed = slotsToFinality(report, 56);
        must(slots < 80 || resumed <= 20, 8, `final ${resumed} slots after the stall`);
        return `${report.slashed.length} slashed, final ${resumed} slots after the stall`;
      },
    };
  },
};

/** `twins` keys are held by a node on each side of a partition that does not end. */
export function twinsScenario(name: string, keys: number, twins: number): Scenario {
  const isEnough = 3 * (Math.ceil((keys - twins) / 2) + twins) >= 2 * keys;
  const isBoth = 3 * (Math.floor((keys - twins) / 2) + twins) >= 2 * keys;
  return {
    summary: `${twins} of ${keys} keys run twice, once on each side of a partition: ${isBoth ? "" : "no "}conflict, and just they are slashable`,
    plan: (_seed, { slots = 40 }) => ({
      ...{ name, nodes: keys + twins, slots, links: GOOD_LINKS, validators: keys },
      // Honest nodes and twins in turn on the two sides: [0, keys − twins) are honest, then the twins twice.
      validatorsOf: (node) => [node < keys ? node : node - twins],
      parts: sides(keys, twins),
      check(report) {
        must(
          report.hasConflict === isBoth,
          1,
          `${twins} of ${keys} twins ${isBoth ? "do not " : ""}conflict`,
        );
        const expected = Array.from({ length: twins }, (_, index) => keys - twins + index);
        const { slashableVoters } = report;
        must(
          slashableVoters.join() === expected.join(),
          10,
          `slashable are ${slashableVoters}, not ${expected}`,
        );
        return `${report.hasConflict ? "conflict" : "no conflict"}, slashable ${slashableVoters.length} of ${keys}${isEnough && !isBoth ? ", one side final" : ""}`;
      },
    }),
  };
}

function sides(keys: number, twins: number): readonly Part[] {
  const isLeft = isLeftOf(keys, twins);
  return [{ label: "a partition that does not end", cuts: (a, b) => isLeft(a) !== isLeft(b) }];
}

function isLeftOf(keys: number, twins: number): (node: number) => boolean {
  const honest = keys - twins;
  return (node) => (node < honest ? node < Math.ceil(honest / 2) : node < keys);
}

/** The same, and the two sides meet: each sees what the other made final, and stops for good. */
const twinsMeet: Scenario = {
  summary: "3 of 9 keys run twice, each side makes its chain final, and when they meet every node stops",
  plan(seed, size) {
    const [keys, twins, meet] = [9, 3, 16];
    const apart = twinsScenario("twins-meet", keys, twins).plan(seed, size);
    const isLeft = isLeftOf(keys, twins);
    return {
      ...apart,
      parts: [
        {
          label: `a partition until slot ${meet}`,
          cuts: (a, b, nowMs) => nowMs < meet * 1000 && isLeft(a) !== isLeft(b),
        },
      ],
      check(report) {
        must(report.hasConflict, 1, "the sides did not finalize both");
        must(report.faulted === report.honest, 1, `${report.faulted} of ${report.honest} nodes stopped`);
        return `all ${report.faulted} nodes stopped`;
      },
    };
  },
};

const leak: Scenario = {
  summary: "3 of 8 never come back: they lose stake until the others are two thirds, and are ejected",
  plan(_seed, { slots = 110 }) {
    return {
      ...{ name: "leak", nodes: 8, slots, links: GOOD_LINKS },
      params: { ...FAST_STAKING, ejectionBalanceGwei: 27n * COIN },
      parts: [awayPart("sleep of 3", [5, 6, 7], 10, slots + 1)],
      check(report) {
        const resumed = report.slots.find(({ finalized }) => finalized[0] > 20)?.slot;
        must(slots < 110 || resumed !== undefined, 8, "the leak did not bring finality back");
        return `final again in slot ${resumed}`;
      },
    };
  },
};

export const STAKE_SCENARIOS: Readonly<Record<string, Scenario>> = {
  stakes,
  leak,
  "twins-below-third": twinsScenario("twins-below-third", 10, 3),
  "twins-meet": twinsMeet,
  "twins-third": twinsScenario("twins-third", 9, 3),
};
