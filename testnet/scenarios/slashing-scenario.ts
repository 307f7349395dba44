/** A node that is run twice with one key is slashed, and nobody else. See specs/testnet/scenarios.md#the-scenarios. */
import { untilFinalityGoesOn, untilInOrder } from "./finality-scenarios.ts";
import { type Scenario, ScenarioFailure, type ScenarioNetwork } from "./scenario.ts";

type ValidatorAnswer = {
  readonly data: readonly {
    readonly index: string;
    readonly status: string;
    readonly validator: { readonly slashed: boolean; readonly exit_epoch: string };
  }[];
};

const FAR_FUTURE = String(2n ** 64n - 1n);

async function slashedOn(network: ScenarioNetwork, node: number): Promise<readonly string[]> {
  const path = "/eth/v1/beacon/states/head/validators";
  const { data } = (await network.beacon(node, path)) as ValidatorAnswer;
  return data.flatMap(({ index, validator }) => {
    if (!validator.slashed) return [];
    if (validator.exit_epoch === FAR_FUTURE)
      throw new ScenarioFailure(`validator ${index} is slashed and stays`);
    return [index];
  });
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
    let slashed: readonly (readonly string[])[] = [];
    for (let tries = 0; slashed.length === 0; tries++) {
      if (tries > 120) throw new ScenarioFailure("the key that signed twice was not slashed after 120 slots");
      const { slot = 0 } = (await network.status(1)) ?? {};
      await network.until("the chain goes on", (status) => status.slot > slot, { nodes: [1] });
      const seen = await Promise.all(watchers.map((node) => slashedOn(network, node)));
      if (seen.every(({ length }) => length > 0)) slashed = seen;
    }
    for (const list of slashed) {
      if (list.join() !== culprit)
        throw new ScenarioFailure(`slashed are ${list.join()}, not ${culprit} alone`);
    }
    network.note(`validator ${culprit} is slashed and leaves, on every node`);
    await network.stop(twin);
    await untilFinalityGoesOn(network, "the others go on", watchers);
  },
};
