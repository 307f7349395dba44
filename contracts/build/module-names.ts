/** Which names a module uses that it does not declare, and which of its top-level ones it writes again. See specs/contracts/build.md#features. */
import type { AnyNode, Identifier, Program } from "acorn";
import { childrenOf, isFunctionNode } from "../../vm/tracing/syntax-tree.ts";

/** A use of a name: of something global, or of what the module declares at its top level. */
export type NameUse = {
  readonly node: Identifier;
  readonly parent: AnyNode;
  readonly isGlobal: boolean;
  readonly isWrite: boolean;
};

type Scope = { readonly names: ReadonlySet<string>; readonly outer: Scope | undefined };

/** Uses of local names are left out. */
export function findNameUses(program: Program): NameUse[] {
  const uses: NameUse[] = [];
  const module: Scope = { names: new Set(declaredIn(program)), outer: undefined };
  visit(program, program, module, false, (node, parent, scope, isWrite) => {
    const owner = ownerOf(scope, node.name);
    if (owner === undefined || owner === module) {
      uses.push({ node, parent, isGlobal: owner === undefined, isWrite });
    }
  });
  return uses;
}

function ownerOf(scope: Scope | undefined, name: string): Scope | undefined {
  return scope === undefined || scope.names.has(name) ? scope : ownerOf(scope.outer, name);
}

type OnUse = (node: Identifier, parent: AnyNode, scope: Scope, isWrite: boolean) => void;

function visit(node: AnyNode, parent: AnyNode, scope: Scope, isWrite: boolean, onUse: OnUse): void {
  if (node.type === "Identifier") {
    onUse(node, parent, scope, isWrite);
    return;
  }
  const inner = opensScope(node) ? { names: new Set(declaredIn(node)), outer: scope } : scope;
  for (const child of childrenOf(node)) {
    if (isNameOnly(node, child)) continue;
    visit(child, node, inner, isWritten(node, child, isWrite), onUse);
  }
}

const SCOPES: ReadonlySet<AnyNode["type"]> = new Set([
  "BlockStatement",
  "StaticBlock",
  "ForStatement",
  "ForInStatement",
  "ForOfStatement",
  "SwitchStatement",
  "CatchClause",
  "ClassExpression",
]);

function opensScope(node: AnyNode): boolean {
  return isFunctionNode(node) || SCOPES.has(node.type);
}

/** Whether `child` of `parent` is a name that is declared there, or no name of a variable at all. */
function isNameOnly(parent: AnyNode, child: AnyNode): boolean {
  switch (parent.type) {
    case "MemberExpression":
      return child === parent.property && !parent.computed;
    case "Property":
      // `{ name }` is a use, and has the same node twice.
      return child === parent.key && !parent.computed && (child as AnyNode) !== parent.value;
    case "MethodDefinition":
    case "PropertyDefinition":
      return child === parent.key && !parent.computed;
    case "LabeledStatement":
    case "BreakStatement":
    case "ContinueStatement":
      return child === parent.label;
    case "ImportDeclaration":
    case "ExportSpecifier":
    case "MetaProperty":
      return true;
    case "FunctionDeclaration":
    case "FunctionExpression":
    case "ClassDeclaration":
    case "ClassExpression":
      return child === parent.id;
    case "VariableDeclarator":
      return child === parent.id && child.type === "Identifier";
    default:
      return false;
  }
}

/** A pattern hands on to its parts that they are written. */
function isWritten(parent: AnyNode, child: AnyNode, isWrite: boolean): boolean {
  switch (parent.type) {
    case "AssignmentExpression":
    case "ForInStatement":
    case "ForOfStatement":
      return child === parent.left && child.type !== "VariableDeclaration";
    case "UpdateExpression":
      return true;
    case "AssignmentPattern":
      return isWrite && child === parent.left;
    case "Property":
      return isWrite && child === parent.value;
    case "ObjectPattern":
    case "ArrayPattern":
    case "RestElement":
      return isWrite;
    default:
      return false;
  }
}

/** Names that belong to the scope of `node`. */
function declaredIn(node: AnyNode): string[] {
  switch (node.type) {
    case "Program":
      return [...node.body.flatMap(topLevelNames), ...hoistedNames(node)];
    case "BlockStatement":
    case "StaticBlock":
      return node.body.flatMap(lexicalNames);
    case "SwitchStatement":
      return node.cases.flatMap(({ consequent }) => consequent.flatMap(lexicalNames));
    case "ForStatement":
      return node.init?.type === "VariableDeclaration" ? lexicalNames(node.init) : [];
    case "ForInStatement":
    case "ForOfStatement":
      return node.left.type === "VariableDeclaration" ? lexicalNames(node.left) : [];
    case "CatchClause":
      return node.param == null ? [] : patternNames(node.param);
    case "ClassExpression":
      return node.id == null ? [] : [node.id.name];
    default:
      return isFunctionNode(node) ? functionNames(node) : [];
  }
}

function functionNames(node: Extract<AnyNode, { params: unknown }>): string[] {
  const own = node.type === "FunctionExpression" && node.id != null ? [node.id.name] : [];
  const special = node.type === "ArrowFunctionExpression" ? [] : ["arguments"];
  return [...own, ...special, ...node.params.flatMap(patternNames), ...hoistedNames(node.body)];
}

function topLevelNames(node: AnyNode): string[] {
  if (node.type === "ImportDeclaration") return node.specifiers.map(({ local }) => local.name);
  if (node.type !== "ExportNamedDeclaration" && node.type !== "ExportDefaultDeclaration") {
    return lexicalNames(node);
  }
  return node.declaration == null ? [] : lexicalNames(node.declaration);
}

/** Declared by this statement itself: `let`, `const`, a class, a function. */
function lexicalNames(node: AnyNode): string[] {
  if (node.type === "VariableDeclaration") return node.declarations.flatMap(({ id }) => patternNames(id));
  if (node.type !== "FunctionDeclaration" && node.type !== "ClassDeclaration") return [];
  return node.id == null ? [] : [node.id.name];
}

/** Every `var` of a function's body or a module, however deep. */
function hoistedNames(node: AnyNode): string[] {
  const own = node.type === "VariableDeclaration" && node.kind === "var" ? lexicalNames(node) : [];
  const inner = childrenOf(node).filter((child) => !isFunctionNode(child));
  return [...own, ...inner.flatMap(hoistedNames)];
}

function patternNames(pattern: AnyNode): string[] {
  switch (pattern.type) {
    case "Identifier":
      return [pattern.name];
    case "AssignmentPattern":
      return patternNames(pattern.left);
    case "Property":
      return patternNames(pattern.value);
    case "ObjectPattern":
    case "ArrayPattern":
    case "RestElement":
      return childrenOf(pattern).flatMap(patternNames);
    default:
      return [];
  }
}
