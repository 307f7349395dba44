/** A node that is run twice with one key is slashed, and nobody else. See specs/testnet/scenarios.md#the-scenarios. */
import { untilFinalityGoesOn, untilInOrder } from "./finality-scenarios.ts";
import { type Scenario, ScenarioFailure, type ScenarioNetwork } from "./scenario.ts";

type ValidatorAnswer = {
  readonly data: readonly {
    readonly index: string;
    readonly status: string;
    readonly balance: string;
    readonly validator: { readonly slashed: boolean };
  }[];
};

/** What a validator has at genesis. */
const STAKE_GWEI = 32n * 10n ** 9n;
/** A slashing costs ten times as much at once. */
const HARM_GWEI = STAKE_GWEI / 1280n;
/** Slots until a second key in use must have been noticed, and until its exit takes effect: up to three periods of 32. */
const NOTICED_SLOTS = 120;
const EXIT_SLOTS = 120;

async function validatorsOn(network: ScenarioNetwork, node: number): Promise<ValidatorAnswer["data"]> {
  const path = "/eth/v1/beacon/states/head/validators";
  return ((await network.beacon(node, path)) as ValidatorAnswer).data;
}

/** Asks every watcher once a slot until all of them say what is expected of their validators. */
async function untilAll(
  network: ScenarioNetwork,
  watchers: readonly number[],
  limitSlots: number,
  what: string,
  test: (validators: ValidatorAnswer["data"]) => boolean,
): Promise<void> {
  for (let tries = 0; ; tries++) {
    const seen = await Promise.all(watchers.map((node) => validatorsOn(network, node)));
    if (seen.every(test)) return;
    if (tries > limitSlots) throw new ScenarioFailure(`${what}: not after ${limitSlots} slots`);
    const { slot = 0 } = (await network.status(1)) ?? {};
    await network.until("the chain goes on", (status) => status.slot > slot, { nodes: [1] });
  }
}

/** The culprit alone is slashed; everyone else is on duty, and a vote missed here or there is all that may have cost it. */
function checkOthers(validators: ValidatorAnswer["data"], culprit: string): void {
  for (const { index, status, balance, validator } of validators) {
    if (index === culprit) continue;
    const isUnharmed =
      !validator.slashed && status === "active_ongoing" && BigInt(balance) > STAKE_GWEI - HARM_GWEI;
    if (!isUnharmed) throw new ScenarioFailure(`validator ${index} is ${status} with ${balance} Gwei`);
  }
}

export const slashing: Scenario = {
  name: "slashing",
  summary: "a key that signs in two processes is slashed and ejected, the others are unharmed",
  minimumNodes: 4,
  async run(network) {
    await untilInOrder(network);
    const culprit = String((network.nodes - 1) * network.validatorsPerNode);
    // The same key in a second process, with an empty slashing protection: the mistake this is all about.
    const twin = await network.startExtra(`${culprit}-${culprit}`);
    const watchers = Array.from({ length: network.nodes - 1 }, (_, index) => index + 1);
    const ofCulprit = (validators: ValidatorAnswer["data"]) =>
      validators.find(({ index }) => index === culprit);
    await untilAll(network, watchers, NOTICED_SLOTS, "the key that signed twice is slashed", (validators) =>
      Boolean(ofCulprit(validators)?.validator.slashed),
    );
    network.note(`validator ${culprit} is slashed on every node`);
    await network.stop(twin);
    await untilFinalityGoesOn(network, "the others go on", watchers);
    await untilAll(
      network,
      watchers,
      EXIT_SLOTS,
      "the slashed validator is ejected",
      (validators) => ofCulprit(validators)?.status === "exited_slashed",
    );
    for (const node of watchers) checkOthers(await validatorsOn(network, node), culprit);
    network.note(`validator ${culprit} has left, and nobody else lost anything`);
  },
};
