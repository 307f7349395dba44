/** What a scenario is and what it may do with its network. See specs/testnet/scenarios.md. */
import type { NodeStatus } from "../node-status.ts";

/** Expected to happen and did not: the scenario fails with this sentence. */
export class ScenarioFailure extends Error {
  override readonly name = "ScenarioFailure";
}

/** A network of its own; nodes are numbered from 1. */
export type ScenarioNetwork = {
  readonly nodes: number;
  readonly validatorsPerNode: number;
  /** Numbers of the nodes that were started and not stopped, extra ones included. */
  running(): readonly number[];
  status(node: number): Promise<NodeStatus | undefined>;
  /** Asks the node to stop, and waits. */
  stop(node: number): Promise<void>;
  /** Starts a stopped node again in its folder. */
  start(node: number): Promise<void>;
  /**
   * Starts one more process beside the numbered ones, connected to all of them.
   * @param keys first and last development key it signs with; undefined for a node without validators.
   * @returns its number.
   */
  startExtra(keys: string | undefined): Promise<number>;
  /** Lets these nodes hear only each other, and the rest only each other. */
  partition(group: readonly number[]): void;
  heal(): void;
  /** Of the beacon API. @throws when the node does not answer. */
  beacon(node: number, path: string): Promise<unknown>;
  url(node: number): string;
  /** Tells how far the scenario is. */
  note(text: string): void;
  /**
   * Waits until `test` holds for all of `nodes` (all that run, when left out).
   * @param limitSlots slots to wait at most.
   * @throws ScenarioFailure with `what` when it never did.
   */
  until(
    what: string,
    test: (status: NodeStatus, node: number) => boolean,
    options?: { readonly nodes?: readonly number[]; readonly limitSlots?: number },
  ): Promise<void>;
};

export type Scenario = {
  readonly name: string;
  readonly summary: string;
  readonly minimumNodes: number;
  /** Parameters of its chain, instead of the testnet's. */
  readonly preset?: string;
  /** Throws when the network does not do what it must. */
  run(network: ScenarioNetwork): Promise<void>;
};
