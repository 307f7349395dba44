/** Scenarios with Byzantine nodes, always less than a third. See specs/simulation/scenarios.md. */
import type { Engine } from "../../consensus/engine-state.ts";
import { type Hash, toHex } from "../../primitives/bytes.ts";
import {
  balance,
  equivocate,
  includeAgain,
  lie,
  omitVotes,
  proposeLate,
  replaceBlocks,
  type Strategy,
  spam,
  surround,
  until,
  withholdVotes,
} from "./byzantine.ts";
import { honestOrphansBetween, isFinalPast, slotsToFinality } from "./findings.ts";
import { type Forged, forgeBlock, forgeVote } from "./forging.ts";
import { awayPart, GOOD_LINKS, partitionParts } from "./honest-scenarios.ts";
import type { Behaviour, Part, Scenario } from "./plan.ts";
import { buildInPrivate } from "./private-branch.ts";
import { type RandomStream, randomStream } from "./random-stream.ts";
import { blockGossip, voteGossip } from "./simulated-node.ts";
import { shortPeriods } from "./simulator-params.ts";
import { must } from "./violation.ts";

const upTo = (count: number, from = 0): number[] => Array.from({ length: count }, (_, index) => from + index);

const STRATEGIES: Readonly<Record<string, Strategy>> = {
  equivocate,
  lie,
  ...{ "omit votes": omitVotes, "include again": includeAgain, spam, balance, surround },
  ...{ "withhold votes": withholdVotes(24), "propose late": proposeLate(2) },
};

function pick<Value>(random: RandomStream, values: readonly Value[]): Value {
  return values[random.below(values.length)]!;
}

/** What goes wrong until the network is good again. */
function trouble(random: RandomStream, nodes: number, byzantine: number, goodFrom: number): readonly Part[] {
  const from = 4 + random.below(4);
  const honest = nodes - byzantine;
  const kind = pick(random, ["none", "sleep", "partition", "crashes"] as const);
  if (kind === "partition") return partitionParts(byzantine + 1 + random.below(honest - 1), from, goodFrom);
  if (kind === "none") return [];
  const away = upTo(1 + random.below(Math.ceil(honest / 2)), byzantine);
  return away.map((node) =>
    kind === "sleep"
      ? awayPart(`sleep of ${node}`, [node], from, goodFrom)
      : awayPart(`crash of ${node}`, [node], from + random.next() * 6, goodFrom - random.next() * 2, true),
  );
}

const chaos: Scenario = {
  summary: "a random conspiracy in a random network; once both give up, the chain is final within 30 slots",
  plan(seed, { nodes: wanted, slots: length }) {
    const random = randomStream(seed, "chaos");
    const nodes = wanted ?? 7 + random.below(4);
    const byzantine = 1 + random.below(Math.max(1, Math.floor((nodes - 1) / 3)));
    const slotsPerEpoch = pick(random, [1, 1, 1, 2]);
    const goodFrom = 10 + random.below(8);
    const attackEnd = goodFrom + random.below(10);
    const slots = length ?? attackEnd + 32;
    const isPrivate = random.next() < 0.4;
    const parts = upTo(byzantine).map((node): Part => {
      const [name, strategy] = pick(random, Object.entries(STRATEGIES));
      const behave = isPrivate ? buildInPrivate(attackEnd) : until(attackEnd, strategy);
      return { label: `${node}: ${isPrivate ? "build in private" : name}`, byzantine: () => [node], behave };
    });
    return {
      ...{ name: "chaos", nodes, slots },
      links: { ...GOOD_LINKS, loss: pick(random, [0, 0.01, 0.05]), late: pick(random, [0, 0, 0.1]) },
      params: {
        forks: [{ version: "0x6a000009", firstSlot: 0, firstEpoch: 0, slotsPerEpoch }],
        ...shortPeriods(pick(random, [32, 256])),
      },
      parts: [...parts, ...trouble(random, nodes, byzantine, goodFrom)],
      isDone: isFinalPast(attackEnd, slotsPerEpoch),
      check(report) {
        const resumed = slotsToFinality(report, attackEnd, slotsPerEpoch);
        must(slots < attackEnd + 31 || resumed <= 30, 8, `final ${resumed} slots after the attack`);
        return `final ${resumed} slots after the attack`;
      },
    };
  },
};

/** Withholds a block and the votes for it, and shows both when the next proposer's block comes. */
const releaseOneLater: Strategy = (simulation, index) => {
  const node = simulation.nodes[index]!;
  const isFriend = (peer: number): boolean => !simulation.nodes[peer]!.isHonest;
  return {
    // Asked for its newest block, nobody of them has it.
    serves: (root) => node.engine.blocks.get(root)?.slot !== node.engine.store.nowSlot,
    onBlock(block, root) {
      node.rush(blockGossip(block, root), isFriend);
      const nextSlotMs = (block.message.slot + 1) * 1000;
      simulation.clock.at(nextSlotMs + 22, () => node.rush(blockGossip(block, root)));
    },
    onVotes(attestations) {
      const [first] = attestations;
      const head =
        first === undefined ? undefined : node.engine.blocks.get(toHex(first.data.beaconBlockRoot));
      const isForWithheld = head !== undefined && head.slot === first?.data.slot;
      node.rush(voteGossip(attestations), isForWithheld ? isFriend : undefined);
      if (!isForWithheld) return;
      simulation.clock.at((head.slot + 1) * 1000 + 22, () => node.rush(voteGossip(attestations)));
    },
  };
};

const exAnte: Scenario = {
  summary: "4 of 16 withhold a block and their votes and show them beside the next honest block, which stays",
  plan: (_seed, { nodes = 16, slots = 36 }) => ({
    ...{ name: "ex-ante", nodes, slots, links: { ...GOOD_LINKS, loss: 0 } },
    parts: upTo(4).map((node) => ({
      ...{ label: `${node}: release one later`, byzantine: () => [node], behave: releaseOneLater },
    })),
    check(report) {
      const lost = honestOrphansBetween(report, 1, slots - 2);
      must(lost === 0, 9, `${lost} honest blocks on time were lost`);
      return "no honest block was lost";
    },
  }),
};

const SLEEP_FROM = 6;

/** The last block of the chain that most validators voted for. */
function lastBlockUntil({ blocks, store }: Engine, slot: number): Hash {
  let at = blocks.get(store.headRoot);
  while (at !== undefined && at.slot >= slot) at = blocks.get(at.parentRoot);
  return at?.root ?? store.headRoot;
}

/** Builds on what most have voted for, as if nothing had come after it. */
const buildOnJustified: Strategy = (simulation, index) => ({
  ...replaceBlocks(simulation, index, ({ message }, { engine }) => ({
    ...{ parentRoot: lastBlockUntil(engine, SLEEP_FROM), slot: message.slot, mark: 1 },
  })),
  onVotes: () => undefined,
});

const minority: Scenario = {
  summary:
    "5 of 16 are awake, one of them builds on where the others went to sleep: blocks of the other four stay",
  plan: (_seed, { nodes = 16, slots = 60 }) => ({
    ...{ name: "minority", nodes, slots, links: { ...GOOD_LINKS, loss: 0 } },
    params: { lmdExpirySlots: 8 },
    parts: [
      awayPart("sleep of 11", upTo(nodes - 5, 5), SLEEP_FROM, slots + 1),
      { label: "0: build on where they slept", byzantine: () => [0], behave: buildOnJustified },
    ],
    check(report) {
      const lost = honestOrphansBetween(report, SLEEP_FROM + 1, slots - 2);
      must(lost === 0, 9, `${lost} blocks of those awake were lost`);
      return "no honest block was lost";
    },
  }),
};

/** Gives nothing away, also not that it knows more: a claim would keep others from voting for a slot. */
const SILENCE: Behaviour = {
  onBlock: () => undefined,
  onVotes: () => undefined,
  serves: () => false,
  status: (honest) => ({ ...honest, headRoot: honest.justified.root, headSlot: 0 }),
};

/** While all others sleep, forks off at the justified block, and shows block and votes when they wake. */
const forkWhileAsleep =
  (from: number, to: number): Strategy =>
  (simulation, index) => {
    const node = simulation.nodes[index]!;
    let forged: Forged | undefined;
    return {
      ...SILENCE,
      onMoment(slot, moment) {
        if (slot < from || slot > to) return;
        const parentRoot = node.engine.store.justified.root;
        if (moment === "start") forged ??= forgeBlock(simulation, node, { parentRoot, slot });
        if (slot < to || moment !== "due" || forged === undefined) return;
        const { block, root } = forged;
        node.rush(blockGossip(block, root));
        // Conspirators vote for it through one of them, in the last slot of the night.
        for (const other of simulation.nodes.filter(({ isHonest }) => !isHonest)) {
          const vote = { validatorIndex: other.index, slot: to - 1, headRoot: root };
          simulation.clock.after(30, () => {
            const forgedVote = forgeVote(simulation, node, vote);
            if (forgedVote !== undefined) node.rush(voteGossip([forgedVote]));
          });
        }
        node.feed({
          type: "blockReceived",
          block,
          arrivalMs: simulation.clock.nowMs,
          origin: { kind: "own" },
        });
      },
    };
  };

const outage: Scenario = {
  summary: "everyone sleeps until votes are stale, but 3 of 12 that vote for a fork: the honest chain stays",
  plan: (_seed, { nodes = 12, slots = 52 }) => ({
    ...{ name: "outage", nodes, slots, links: GOOD_LINKS, params: { lmdExpirySlots: 8 } },
    parts: [
      awayPart("sleep of 3", upTo(3, 9), 6, 42),
      awayPart("sleep of the other honest", upTo(6, 3), 16, 36),
      { label: "0: fork while asleep", byzantine: () => [0], behave: forkWhileAsleep(18, 36) },
      { label: "1 and 2: silence", byzantine: () => [1, 2], behave: () => SILENCE },
    ],
    check(report) {
      const lost = honestOrphansBetween(report, 8, 16);
      must(lost === 0, 9, `${lost} blocks from before the outage were lost`);
      return `final ${slotsToFinality(report, 42)} slots after the return`;
    },
  }),
};

/** Who asks it for a block waits until the request ends by itself. */
const mute =
  (strategy: Strategy): Strategy =>
  (simulation, index) => ({ ...strategy(simulation, index), isMute: true });

const liars: Scenario = {
  summary:
    "after 20 slots of silence 3 of 12 claim better chains they do not have: duties go on within 16 slots",
  plan(_seed, { nodes = 12, slots = 76 }) {
    // Longer than a status is good for: whoever wakes waits until it has heard from others.
    const [from, to] = [10, 30];
    return {
      ...{ name: "liars", nodes, slots, links: GOOD_LINKS },
      parts: [
        awayPart("sleep of the honest", upTo(9, 3), from, to),
        ...upTo(3).map((node) => ({ label: `${node}: lie`, byzantine: () => [node], behave: mute(lie) })),
        {
          // In turn, so that one claim stands when the other is held against its liar no longer.
          label: "a lie in every slot",
          steps: upTo(slots).map((slot) => [
            slot * 1000 + 600,
            ({ nodes: all }) =>
              all
                .filter(({ isHonest, index }) => !isHonest && index === slot % 3)
                .forEach((node) => {
                  node.greet();
                }),
          ]),
        },
      ],
      check(report) {
        const first = report.chain.find((slot) => slot >= to + 1) ?? Number.POSITIVE_INFINITY;
        must(first - to <= 20, 8, `first block ${first - to} slots after the silence`);
        const resumed = slotsToFinality(report, to);
        must(resumed <= 30, 8, `final ${resumed} slots after the silence`);
        return `first block ${first - to}, finality ${resumed} slots after the silence`;
      },
    };
  },
};

function split(name: string, summary: string, strategies: readonly Strategy[], nodes: number): Scenario {
  return {
    summary,
    plan(_seed, { nodes: wanted = nodes, slots = 56 }) {
      const end = 28;
      return {
        ...{ name, nodes: wanted, slots, links: GOOD_LINKS, params: shortPeriods(256) },
        parts: strategies.map((strategy, node) => ({
          ...{ label: `${node}: ${name}`, byzantine: () => [node], behave: until(end, strategy) },
        })),
        isDone: isFinalPast(end),
        check(report) {
          const resumed = slotsToFinality(report, end);
          must(resumed <= 12, 8, `final ${resumed} slots after the attack`);
          return `final ${resumed} slots after the attack`;
        },
      };
    },
  };
}

export const ATTACK_SCENARIOS: Readonly<Record<string, Scenario>> = {
  ...{ chaos, "ex-ante": exAnte, minority, outage, liars },
  balancing: split(
    "balancing",
    "one proposer equivocates and three keep the two sides in balance; once they stop, all is final",
    [equivocate, balance, balance, balance],
    13,
  ),
  "late-proposers": split(
    "late-proposers",
    "2 of 8 publish their blocks when votes have fallen due: nobody gives them the boost",
    [proposeLate(0.3), proposeLate(0.3)],
    8,
  ),
  "late-votes": split(
    "late-votes",
    "2 of 8 let their votes go up to 24 slots later: they count as late as they come, and pay only while timely",
    [withholdVotes(24), withholdVotes(24)],
    8,
  ),
  equivocators: split(
    "equivocators",
    "3 of 10 sign two of everything and are slashed",
    [equivocate, equivocate, equivocate],
    10,
  ),
  surround: split(
    "surround",
    "2 of 8 vote around their votes, a watchtower tells, they are slashed",
    [surround, surround],
    8,
  ),
  spam: split(
    "spam",
    "2 of 8 send what nobody may accept, and a third takes pay twice",
    [spam, includeAgain],
    8,
  ),
};
