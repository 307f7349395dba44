/** Walking a module's syntax tree, for those who look at a contract's source or change it. */
import { type AnyNode, type Program, parse } from "acorn";

/** @throws SyntaxError of acorn, with `loc`. */
export function parseModule(source: string): Program {
  return parse(source, { ecmaVersion: "latest", sourceType: "module", locations: true });
}

/** In the order of the source, as the grammar has them. */
export function childrenOf(node: AnyNode): AnyNode[] {
  const children: AnyNode[] = [];
  for (const value of Object.values(node) as unknown[]) {
    for (const part of Array.isArray(value) ? value : [value]) if (isNode(part)) children.push(part);
  }
  return children;
}

function isNode(value: unknown): value is AnyNode {
  return typeof value === "object" && value !== null && "type" in value && "start" in value;
}

export type FunctionNode = Extract<
  AnyNode,
  { type: "FunctionDeclaration" | "FunctionExpression" | "ArrowFunctionExpression" }
>;

export function isFunctionNode(node: AnyNode): node is FunctionNode {
  return (
    node.type === "FunctionDeclaration" ||
    node.type === "FunctionExpression" ||
    node.type === "ArrowFunctionExpression"
  );
}
