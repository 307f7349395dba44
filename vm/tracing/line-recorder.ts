/** Follows a run by its probes: what each line costs, which functions are open, where an exception came from. See specs/vm/tracing.md#jstracer. */
import type { Address } from "../../primitives/bytes.ts";
import { assert } from "../../primitives/errors.ts";
import { PROBE, type Spare } from "../contract/probes.ts";
import type { Message, MessageResult, MessageTracer } from "../message.ts";
import type { ProbedSources } from "./probed-sources.ts";
import type { ConsoleLine, StackFrame } from "./trace.ts";

/** Places of the call tree that are told apart; what goes beyond is counted where it was called from. */
export const TREE_NODES_LIMIT = 100_000;

/** Ticks a probe takes from the run that has it, measured by whoever opened the debug engine. */
export type ProbeTicks = {
  readonly statement: number;
  readonly enter: number;
  readonly leave: number;
  readonly thrown: number;
};

/** A line on its way from the outermost message, and what was spent there. */
export type TreeNode = { readonly site: number; readonly parent: TreeNode | undefined; ticks: number };
type OpenNode = TreeNode & { readonly children: Map<number, OpenNode> };

type OpenFunction = { node: OpenNode; readonly caller: OpenNode | undefined };
type OpenMessage = {
  readonly message: Message;
  /** Functions of the messages around this one. */
  readonly base: number;
  /** Meter at the last probe; undefined before the first. */
  ticksLeft: number | undefined;
  /** Spent in messages it sent, and by those shown at their own lines. */
  nestedTicks: number;
  shownTicks: number;
  /** Where the exception in flight began. */
  thrown: readonly StackFrame[] | undefined;
  /** How the last message it sent failed. */
  failed: Failure | undefined;
};
type Failure = { readonly output: Uint8Array; readonly stack: readonly StackFrame[] };

export class LineRecorder implements MessageTracer {
  readonly sources: ProbedSources;
  readonly hits = new Map<number, number>();
  readonly lineTicks = new Map<number, number>();
  readonly nodes: TreeNode[] = [];
  readonly spare: Spare;
  readonly consoleLines: ConsoleLine[] = [];
  readonly #cost: ProbeTicks;
  readonly #roots = new Map<number, OpenNode>();
  readonly #functions: OpenFunction[] = [];
  readonly #messages: OpenMessage[] = [];
  /** Of the outermost message, when it failed. */
  failure: Failure | undefined;

  constructor(sources: ProbedSources, cost: ProbeTicks, spare: Spare) {
    this.sources = sources;
    this.#cost = cost;
    this.spare = spare;
  }

  onProbe(operation: number, site: number, ticksLeft: number): number {
    const open = this.#messages.at(-1);
    if (open === undefined || operation < PROBE.statement) return 0;
    switch (operation) {
      case PROBE.statement:
        this.#settle(open, ticksLeft, this.#cost.statement);
        open.thrown = undefined;
        this.#goTo(open, site);
        return this.#cost.statement;
      case PROBE.enter:
        this.#settle(open, ticksLeft, this.#cost.enter);
        open.thrown = undefined;
        this.#enter(site);
        return this.#cost.enter;
      case PROBE.thrown:
        this.#settle(open, ticksLeft, this.#cost.thrown);
        open.thrown ??= this.#stackOf(open);
        return this.#cost.thrown;
      default:
        this.#settle(open, ticksLeft, this.#cost.leave);
        if (this.#functions.length > open.base) this.#functions.pop();
        return this.#cost.leave;
    }
  }

  onEnter(message: Message): void {
    const base = this.#functions.length;
    const more = { nestedTicks: 0, shownTicks: 0, thrown: undefined, failed: undefined };
    this.#messages.push({ message, base, ticksLeft: undefined, ...more });
  }

  onExit({ outcome, output }: MessageResult): void {
    const open = this.#messages.pop();
    assert(open !== undefined, "a message that ends has begun");
    const takesAll = outcome !== "success" && outcome !== "revert";
    if (takesAll && open.ticksLeft !== undefined) this.#settle(open, 0, 0);
    const { shownTicks, base } = open;
    const outer = this.#messages.at(-1);
    if (outer !== undefined && open.ticksLeft !== undefined) {
      outer.nestedTicks += shownTicks;
      outer.shownTicks += shownTicks;
    }
    if (outcome === "success") {
      this.#functions.length = base;
      return;
    }
    // An exception has closed its functions; what ends a run at once leaves them open.
    const own = open.thrown ?? this.#stackOf(open);
    const isPassedOn = open.failed !== undefined && isEqual(open.failed.output, output);
    const failure = { output, stack: isPassedOn ? [...(open.failed?.stack ?? []), ...own] : own };
    this.#functions.length = base;
    if (outer === undefined) this.failure = failure;
    else outer.failed = failure;
  }

  onConsole(address: Address, text: string): void {
    const open = this.#messages.at(-1);
    this.consoleLines.push({ address, text, at: open === undefined ? undefined : this.#stackOf(open)[0] });
  }

  /** What was spent since the last probe belongs to the line that was current. */
  #settle(open: OpenMessage, ticksLeft: number, probeTicks: number): void {
    const current = this.#functions.length > open.base ? this.#functions.at(-1) : undefined;
    if (open.ticksLeft !== undefined && current !== undefined) {
      const spent = Math.max(0, open.ticksLeft - ticksLeft - probeTicks - open.nestedTicks);
      const { site } = current.node;
      current.node.ticks += spent;
      this.lineTicks.set(site, (this.lineTicks.get(site) ?? 0) + spent);
      open.shownTicks += spent;
    }
    open.nestedTicks = 0;
    open.ticksLeft = ticksLeft + probeTicks;
  }

  #enter(site: number): void {
    const caller = this.#functions.at(-1)?.node;
    this.#functions.push({ caller, node: this.#child(caller, site) });
  }

  #goTo(open: OpenMessage, site: number): void {
    this.hits.set(site, (this.hits.get(site) ?? 0) + 1);
    const current = this.#functions.length > open.base ? this.#functions.at(-1) : undefined;
    // A generator's statements have no function of their own on the stack.
    if (current !== undefined) current.node = this.#child(current.caller, site);
  }

  #child(parent: OpenNode | undefined, site: number): OpenNode {
    const siblings = parent?.children ?? this.#roots;
    const known = siblings.get(site);
    if (known !== undefined) return known;
    if (parent !== undefined && this.nodes.length >= TREE_NODES_LIMIT) return parent;
    const node: OpenNode = { site, parent, ticks: 0, children: new Map() };
    siblings.set(site, node);
    this.nodes.push(node);
    return node;
  }

  /** The innermost first, of one message. */
  #stackOf({ base, message }: OpenMessage): StackFrame[] {
    return this.#functions
      .slice(base)
      .map(({ node }) => {
        const place = this.sources.placeOf(node.site);
        return { address: message.self, ...place, functionName: this.sources.functionAt(node.site) };
      })
      .reverse();
  }
}

function isEqual(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}
