/** Finds what TypeScript has and a contract has not, before the chain does. See specs/contracts/build.md#features. */
import { dirname, resolve } from "node:path";
import { originalPositionFor, TraceMap } from "@jridgewell/trace-mapping";
import type { AnyNode, Program } from "acorn";
import { childrenOf, isFunctionNode, parseModule } from "../../vm/tracing/syntax-tree.ts";
import { BuildError, type SourceProblem } from "./build-error.ts";
import { type Bundle, displayPath } from "./bundle.ts";
import { findNameUses } from "./module-names.ts";

const NO_TIME = "a contract has no clock: block.timestamp is the time of its block";
const NOTHING_LATER = "nothing runs after a contract has returned";
const CHAIN_ONLY = "a contract reads nothing but the chain: take the data as an argument";
const NO_CODE = "code from strings is not allowed";
const NO_RANDOM = "nodes must agree: use block.prevRandao, or let users commit and reveal";
const NOT_NODE = "a contract does not run in Node.js";
const NOT_SHARED = "what the garbage collector or another thread does must not show";
const HOST_CODEC = "use abi, toHex and concat of chain:std";

/** Names that mean nothing in a contract, with what to do instead. */
export const UNSUPPORTED_NAMES: Readonly<Record<string, string>> = {
  Date: NO_TIME,
  performance: NO_TIME,
  setTimeout: NOTHING_LATER,
  setInterval: NOTHING_LATER,
  setImmediate: NOTHING_LATER,
  queueMicrotask: NOTHING_LATER,
  fetch: CHAIN_ONLY,
  XMLHttpRequest: CHAIN_ONLY,
  WebSocket: CHAIN_ONLY,
  localStorage: "what is to stay goes into storage({ … })",
  eval: NO_CODE,
  Function: NO_CODE,
  WebAssembly: NO_CODE,
  process: NOT_NODE,
  Buffer: NOT_NODE,
  require: NOT_NODE,
  global: NOT_NODE,
  WeakRef: NOT_SHARED,
  FinalizationRegistry: NOT_SHARED,
  SharedArrayBuffer: NOT_SHARED,
  Atomics: NOT_SHARED,
  crypto: "use keccak256, sha256 and ecrecover of chain:std",
  console: 'import { console } from "chain:std"',
  Intl: "texts do not depend on a place",
  TextEncoder: HOST_CODEC,
  TextDecoder: HOST_CODEC,
  escape: HOST_CODEC,
  unescape: HOST_CODEC,
  atob: HOST_CODEC,
  btoa: HOST_CODEC,
};

type Finding = { readonly node: AnyNode; readonly text: string };

/**
 * Of the author's own files: what a package does is found out by evaluating it.
 * @throws BuildError BUILD_UNSUPPORTED with every place.
 */
export function checkFeatures(path: string, { code, sourceMap }: Bundle): void {
  const program = parseModule(code);
  const map = new TraceMap(sourceMap);
  const problems: SourceProblem[] = [];
  for (const { node, text } of [...findSyntax(program), ...findNames(program)]) {
    const { source, line, column } = originalPositionFor(map, positionOf(node));
    if (source === null || source.includes("node_modules/")) continue;
    const file = displayPath(resolve(dirname(path), source));
    problems.push({ file, line, column: column + 1, text });
  }
  problems.sort((a, b) =>
    a.file === b.file ? a.line - b.line || a.column - b.column : a.file < b.file ? -1 : 1,
  );
  if (problems.length > 0) throw new BuildError({ code: "BUILD_UNSUPPORTED", problems });
}

function positionOf(node: AnyNode): { line: number; column: number } {
  return node.loc?.start ?? { line: 1, column: 0 };
}

function findSyntax(node: AnyNode): Finding[] {
  const own = syntaxProblem(node);
  const inner = childrenOf(node).flatMap(findSyntax);
  return own === undefined ? inner : [{ node, text: own }, ...inner];
}

function syntaxProblem(node: AnyNode): string | undefined {
  if (isFunctionNode(node) && node.async)
    return "async functions are not supported: a contract is synchronous";
  if (node.type === "AwaitExpression" || (node.type === "ForOfStatement" && node.await))
    return "await is not supported: a contract is synchronous";
  if (node.type === "ImportExpression") return "import() is not supported: import at the top of the file";
  if (node.type === "MetaProperty" && node.meta.name === "import")
    return `import.meta is not there: ${NOT_NODE}`;
  if (node.type !== "MemberExpression" || node.computed || node.property.type !== "Identifier")
    return undefined;
  const { name } = node.property;
  if (name === "localeCompare" || name.startsWith("toLocale"))
    return `${name} is not there: ${UNSUPPORTED_NAMES["Intl"]}`;
  return undefined;
}

function findNames(program: Program): Finding[] {
  const findings: Finding[] = [];
  const written = new Set<string>();
  for (const { node, parent, isGlobal, isWrite } of findNameUses(program)) {
    if (!isGlobal) {
      if (isWrite) written.add(node.name);
      continue;
    }
    // Code that asks whether something exists can live without it.
    if (parent.type === "UnaryExpression" && parent.operator === "typeof") continue;
    const advice = UNSUPPORTED_NAMES[node.name];
    if (advice !== undefined) findings.push({ node, text: `${node.name} is not there: ${advice}` });
    if (node.name === "Math" && isProperty(parent, "random")) {
      findings.push({ node, text: `Math.random is not there: ${NO_RANDOM}` });
    }
  }
  return [...findings, ...findMutable(program, written)];
}

function isProperty(node: AnyNode, name: string): boolean {
  return (
    node.type === "MemberExpression" && node.property.type === "Identifier" && node.property.name === name
  );
}

/** esbuild writes `var` for every top-level declaration, so what counts is whether it is written again. */
function findMutable(program: Program, written: ReadonlySet<string>): Finding[] {
  const declarations = program.body.flatMap((node) =>
    node.type === "VariableDeclaration" ? node.declarations : [],
  );
  return declarations.flatMap(({ id }) =>
    id.type === "Identifier" && written.has(id.name)
      ? [
          {
            node: id,
            text: `${id.name} is reset before every call: what is to stay goes into storage({ … }), for one transaction into transientStorage({ … })`,
          },
        ]
      : [],
  );
}
