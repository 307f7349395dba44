/** What a scenario makes of a seed: a network, and what happens to it. See specs/simulation/scenarios.md. */
import type { SignedBeaconBlock } from "../../consensus/chain-containers.ts";
import type { SingleAttestation } from "../../consensus/containers.ts";
import type { PeerStatus } from "../../consensus/engine-events.ts";
import type { ChainParams } from "../../consensus/params.ts";
import type { ExecutionRequests } from "../../consensus/payload-containers.ts";
import type { Hash } from "../../primitives/bytes.ts";
import type { Report, SlotView } from "./observer.ts";
import type { LinkOptions } from "./simulated-network.ts";
import type { Simulation } from "./simulation.ts";

/** A Byzantine node is a node with some of its outputs rewritten; what is left out is done honestly. */
export type Behaviour = {
  /** Instead of publishing a block of its own. */
  onBlock?(block: SignedBeaconBlock, root: Hash): void;
  /** Instead of publishing votes of its own. */
  onVotes?(attestations: readonly SingleAttestation[]): void;
  /** What it tells of itself. */
  status?(honest: PeerStatus): PeerStatus;
  /** Whether it gives a block to whoever asks for it. */
  serves?(root: Hash): boolean;
  /** It does not even say that it has nothing. */
  readonly isMute?: boolean;
  /** At a slot's start, and shortly before votes fall due. */
  onMoment?(slot: number, moment: "start" | "due"): void;
};

/** One thing that goes wrong; a failing run is shrunk by leaving out as many as possible. */
export type Part = { readonly label: string } & (
  | {
      /** In milliseconds; at a slot's start before the nodes wake. */
      readonly steps: readonly (readonly [atMs: number, act: (simulation: Simulation) => void])[];
    }
  | {
      /** Whether two nodes cannot reach each other at a time. */
      readonly cuts: (from: number, to: number, nowMs: number) => boolean;
    }
  | {
      /** Those of these nodes that do as `behave` says, in one conspiracy. */
      readonly byzantine: (simulation: Simulation) => readonly number[];
      readonly behave: (simulation: Simulation, node: number) => Behaviour;
    }
);

export type Plan = {
  readonly name: string;
  readonly nodes: number;
  readonly slots: number;
  readonly links: LinkOptions;
  readonly params?: Partial<ChainParams>;
  /** One each when left out. */
  readonly validatorsOf?: (node: number) => readonly number[];
  readonly validators?: number;
  /** Whose rewards are paid out instead of added to the stake; nobody's when left out. */
  readonly isPaidOut?: (validator: number) => boolean;
  /** Share of proposals that their signer refuses; none when left out. */
  readonly missedProposals?: number;
  readonly parts: readonly Part[];
  /** What the execution side asks of the block of a slot. */
  readonly requestsAt?: (slot: number) => Partial<ExecutionRequests>;
  /** Whether there is nothing more to see; asked at the end of each slot. */
  readonly isDone?: (slots: readonly SlotView[]) => boolean;
  /** Beyond the invariants, which hold always; throws when not met, else says what was found. */
  readonly check: (report: Report) => string;
};

/** How much of a scenario to run: a shrunk run has fewer slots, nodes and parts. */
export type Size = {
  readonly slots?: number | undefined;
  readonly nodes?: number | undefined;
  /** Positions of parts left out. */
  readonly without?: readonly number[] | undefined;
};

export type Scenario = {
  /** One line: what happens and what must follow. */
  readonly summary: string;
  plan(seed: number, size: Size): Plan;
};
