/** A copy of a contract's source with a probe at every statement and every function's ends. See specs/vm/tracing.md#jstracer. */
import type { AnyNode } from "acorn";
import { PROBE, PROBE_EXPORT } from "../contract/probes.ts";
import { childrenOf, type FunctionNode, isFunctionNode, parseModule } from "./syntax-tree.ts";

/** Where a probe stands in the source. Lines count from 1, columns from 0, as in source maps. */
export type ProbeSite = { readonly line: number; readonly column: number; readonly functionName: string };

export type Instrumented = {
  readonly source: string;
  /** By number, from the one that was asked for. */
  readonly sites: readonly ProbeSite[];
};

/** Lines stay where they are: nothing that is inserted has a line end. */
export function instrument(source: string, firstSite: number): Instrumented {
  const placer = new ProbePlacer(source, firstSite);
  placer.visit(parseModule(source), { functionName: "", nameHint: "", isInside: false });
  return { source: placer.finish(), sites: placer.sites };
}

type Edit = { readonly at: number; readonly text: string };
type Place = {
  readonly functionName: string;
  /** What a function without a name of its own is called after. */
  readonly nameHint: string;
  /** Statements outside of functions run when the contract is deployed, and are not traced. */
  readonly isInside: boolean;
};

class ProbePlacer {
  readonly sites: ProbeSite[] = [];
  readonly #source: string;
  readonly #firstSite: number;
  readonly #edits: Edit[] = [];
  readonly #probe: string;

  constructor(source: string, firstSite: number) {
    this.#source = source;
    this.#firstSite = firstSite;
    let name = "$probe";
    while (source.includes(name)) name += "_";
    this.#probe = name;
  }

  /** Edits were made in the order of the source, those at one place from the inside out. */
  finish(): string {
    let text = "";
    let at = 0;
    for (const edit of this.#edits.toSorted((a, b) => a.at - b.at)) {
      text += this.#source.slice(at, edit.at) + edit.text;
      at = edit.at;
    }
    return `${text}${this.#source.slice(at)}\nimport { ${PROBE_EXPORT} as ${this.#probe} } from "chain:std";\n`;
  }

  visit(node: AnyNode, place: Place): void {
    if (isFunctionNode(node)) {
      this.#function(node, place);
      return;
    }
    if (place.isInside) this.#loopTest(node, place);
    const statements = place.isInside ? statementsOf(node) : [];
    for (const child of childrenOf(node)) {
      const inner = { ...place, nameHint: nameFor(node, child) ?? place.nameHint };
      if (!statements.includes(child)) this.visit(child, inner);
      else this.#statement(child, inner, isAlone(node));
    }
  }

  /** A statement that is no part of a list gets braces around it and its probe. */
  #statement(node: AnyNode, place: Place, isAlone: boolean): void {
    const isSilent = node.type === "FunctionDeclaration" || node.type === "BlockStatement";
    if (isSilent) {
      this.visit(node, place);
      return;
    }
    const probe = this.#call(PROBE.statement, node, place.functionName);
    this.#insert(node.start, isAlone ? `{ ${probe}; ` : `${probe}; `);
    this.visit(node, place);
    if (isAlone) this.#insert(node.end, " }");
  }

  /** A loop's condition is of the line it stands in, each time. */
  #loopTest(node: AnyNode, { functionName }: Place): void {
    const isLoop =
      node.type === "WhileStatement" || node.type === "DoWhileStatement" || node.type === "ForStatement";
    if (!isLoop || node.test == null) return;
    this.#insert(node.test.start, `${this.#call(PROBE.statement, node.test, functionName)}, `);
  }

  #function(node: FunctionNode, { nameHint }: Place): void {
    const functionName = node.id?.name ?? (nameHint || "(anonymous)");
    const place = { functionName, nameHint: "", isInside: true };
    for (const parameter of node.params) this.visit(parameter, place);
    // What a generator or an async function is in the middle of is no stack.
    const isStacked = !node.generator && !node.async;
    const before = isStacked ? `${this.#call(PROBE.enter, node, functionName)}; try { ` : "";
    const error = `${this.#probe}_error`;
    const after = isStacked
      ? ` } catch (${error}) { ${this.#probe}(${PROBE.thrown}, 0); throw ${error}; } finally { ${this.#probe}(${PROBE.leave}, 0); }`
      : "";
    const { body } = node;
    if (body.type === "BlockStatement") {
      this.#insert(body.start + 1, ` ${before}`);
      this.visit(body, place);
      this.#insert(body.end - 1, after);
      return;
    }
    // Parentheses around the expression belong to neither node.
    const arrow = this.#source.lastIndexOf("=>", body.start) + "=>".length;
    this.#insert(arrow, ` { ${before}${this.#call(PROBE.statement, body, functionName)}; return (`);
    this.visit(body, place);
    this.#insert(node.end, `);${after} }`);
  }

  #call(operation: number, { loc }: AnyNode, functionName: string): string {
    const { line, column } = loc?.start ?? { line: 0, column: 0 };
    const site = this.#firstSite + this.sites.push({ line, column, functionName }) - 1;
    return `${this.#probe}(${operation}, ${site})`;
  }

  #insert(at: number, text: string): void {
    this.#edits.push({ at, text });
  }
}

/** Children that are statements of a list, or the one statement of an `if` or a loop. */
function statementsOf(node: AnyNode): readonly AnyNode[] {
  switch (node.type) {
    case "BlockStatement":
    case "StaticBlock":
      return node.body;
    case "SwitchCase":
      return node.consequent;
    case "IfStatement":
      return node.alternate == null ? [node.consequent] : [node.consequent, node.alternate];
    case "ForStatement":
    case "ForInStatement":
    case "ForOfStatement":
    case "WhileStatement":
    case "DoWhileStatement":
      return [node.body];
    default:
      return [];
  }
}

function isAlone({ type }: AnyNode): boolean {
  return type !== "BlockStatement" && type !== "StaticBlock" && type !== "SwitchCase";
}

/** A function is called after the property, variable or method it is made for, through a call such as `view("…", …)` too. */
function nameFor(node: AnyNode, child: AnyNode): string | undefined {
  switch (node.type) {
    case "VariableDeclarator":
      return child === node.init && node.id.type === "Identifier" ? node.id.name : "";
    case "Property":
    case "MethodDefinition":
    case "PropertyDefinition":
      return child === node.value && node.key.type === "Identifier" ? node.key.name : "";
    default:
      return undefined;
  }
}
