/** Runs deep recursion and nesting, and prints outcome and ticks of each program as JSON. specs/vm/engine/engine.md#stack */
import { runBody, runModule } from "./guest-programs.ts";

/** Links of a chain: ten times what fits on the stack. */
const LINKS = 20_000;
const TICKS = 400_000_000;

const chain = (start: string, link: string): string =>
  `let x = ${start}; for (let i = 0; i < ${LINKS}; i++) x = ${link};`;

/** Opens a hole in a guest's template literal. */
const HOLE = "\u0024{";

/** Guest code that calls itself, in every way the language has. */
const CALLS = {
  function: "function f() { f() } f()",
  arguments: "function f(a, b, c, d, e, g) { return f(a + 1, b, c, d, e, g) + 1 } f(1)",
  locals: "function f() { let a = 1, b = 2, c = 3, d = [a, b, c]; return f() + a + b + c + d[0] } f()",
  arrow: "const f = () => f(); f()",
  mutual: "const f = () => g(), g = () => f(); f()",
  method: "const o = { m() { return this.m() } }; o.m()",
  getter: "const o = { get x() { return this.x } }; o.x",
  setter: "const o = { set x(v) { this.x = v } }; o.x = 1",
  constructor: "class A { constructor() { new A() } } new A()",
  super: "class A { constructor() { new B() } } class B extends A { constructor() { super() } } new B()",
  field: "class A { x = new A() } new A()",
  static: "const f = () => { class A { static x = f() } }; f()",
  default: "const f = (x = f()) => x; f()",
  destructuring: "const o = { get a() { const { a } = o; return a } }; o.a",
  template: `const f = () => \`${HOLE}f()}\`; f()`,
  tagged: "const f = (s) => f`x`; f()",
  finally: "const f = () => { try { f() } finally { f() } }; f()",
  map: "const f = () => [1].map(f); f()",
  reduce: "const f = () => [1, 2].reduce(f); f()",
  flatMap: "const f = () => [1].flatMap(f); f()",
  from: "const f = () => Array.from([1], f); f()",
  sort: "const f = () => [2, 1].sort(f); f()",
  typedSort: "const f = () => new Int8Array(2).sort(f); f()",
  forEachOfMap: "const m = new Map([[1, 1]]); const f = () => m.forEach(f); f()",
  groupBy: "const f = () => Object.groupBy([1], f); f()",
  replace: "const f = () => 'a'.replace(/a/, f); f()",
  toString: "const o = { toString() { return '' + o } }; '' + o",
  toPrimitive: "const o = { [Symbol.toPrimitive]() { return +o } }; +o",
  toJSON: "const o = { toJSON() { return JSON.stringify(o) } }; JSON.stringify(o)",
  reviver: "const f = () => JSON.parse('1', f); f()",
  replacer: "const f = () => JSON.stringify({ a: 1 }, f); f()",
  proxy: "const p = new Proxy({}, { get(t, k, r) { return r[k] } }); p.x",
  proxyHas: "const p = new Proxy({}, { has(t, k) { return k in p } }); 'x' in p",
  proxyApply: "const p = new Proxy(() => 1, { apply() { return p() } }); p()",
  proxyKeys: "const p = new Proxy({}, { ownKeys() { return Reflect.ownKeys(p) } }); Reflect.ownKeys(p)",
  apply: "const f = () => Reflect.apply(f, null, []); f()",
  construct: "function F() { Reflect.construct(F, []) } F()",
  call: "const f = function () { return f.call(this) }; f()",
  bind: "const f = () => f.bind(null)(); f()",
  spread: "const f = (...a) => f(...a, 1); f()",
  hasInstance: "const o = { [Symbol.hasInstance](x) { return x instanceof o } }; 1 instanceof o",
  species:
    "class A extends Array { static get [Symbol.species]() { return new A(1, 2).slice() } } new A(1, 2).slice()",
  generator: "function* g() { yield* g() } g().next()",
  iterator: "const o = { [Symbol.iterator]() { return [...o] } }; [...o]",
  helper: "const f = () => [1].values().map(f).next(); f()",
  async: "async function f() { await f() } f(); return 'pending'",
  thenable: "const o = { get then() { return Promise.resolve(o) } }; Promise.resolve(o)",
  regexExec:
    "const r = /a/; Object.defineProperty(r, 'exec', { value: () => r[Symbol.match]('a') }); r[Symbol.match]('a')",
  report: "throw { get name() { throw this.name } }",
};

/** Long chains that built-ins walk, or that are freed at once. */
const CHAINS = {
  proxies: `${chain("{}", "new Proxy(x, {})")} x.y`,
  prototypes: `${chain("{}", "Object.create(x)")} x.y`,
  bound: `${chain("() => 1", "x.bind(null)")} x()`,
  jsonText: `JSON.parse("[".repeat(${LINKS}))`,
  jsonObjectText: `JSON.parse('{"a":'.repeat(${LINKS}))`,
  json: `${chain("[]", "[x]")} JSON.stringify(x)`,
  join: `${chain("[]", "[x]")} String(x)`,
  flat: `${chain("[]", "[x]")} x.flat(Infinity)`,
  regexCaptures: `new RegExp("(".repeat(${LINKS}) + "a" + ")".repeat(${LINKS}))`,
  regexGroups: `new RegExp("(?:".repeat(${LINKS}) + "a" + ")*".repeat(${LINKS}))`,
  regexAlternatives: `new RegExp("a|".repeat(${LINKS}))`,
  regexLookaheads: `new RegExp("(?=".repeat(${LINKS}) + "a" + ")".repeat(${LINKS}))`,
  regexSets: `new RegExp("[".repeat(${LINKS}) + "a" + "]".repeat(${LINKS}), "v")`,
  regexBacktracking: `/(?:a|b)*c/.test("ab".repeat(${LINKS}))`,
  rope: `let s = "ab".repeat(200); for (let i = 0; i < ${LINKS}; i++) s = "x".repeat(30) + s + "y".repeat(30); s.charCodeAt(5)`,
  freeObjects: `${chain("null", "{ x }")} x = null`,
  freeClosures: `${chain("() => 1", "((y) => () => y)(x)")} x = null`,
  freeMaps: `${chain("new Map()", "new Map([[1, x]])")} x = null`,
  freePromises: `${chain("Promise.resolve()", "((y) => y.then(() => y))(x)")} x = null`,
  freeWeakMaps: `const w = new WeakMap(); let k = {}; const first = k; for (let i = 0; i < ${LINKS}; i++) { const n = {}; w.set(k, n); k = n } k = null`,
  freeGenerators: `function* g(y) { yield y } let x = null; for (let i = 0; i < ${LINKS}; i++) { const y = g(x); y.next(); x = y } x = null`,
  freeProxies: `${chain("{}", "new Proxy(x, {})")} x = null`,
  freeBound: `${chain("() => 1", "x.bind(x)")} x = null`,
  freeTypedArrays: `${chain("{}", "Object.assign(new Uint8Array(1), { x })")} x = null`,
  freeErrors: `${chain("null", "new Error('e', { cause: x })")} x = null`,
  collectCycles: `let x = {}; for (let i = 0; i < ${LINKS}; i++) { const y = { p: x }; x.n = y; x = y } x = null`,
};

/** Source text nested deeper than any parser likes. */
const SOURCES = {
  brackets: "[".repeat(LINKS),
  parentheses: "(".repeat(LINKS),
  arrows: `${"() => ".repeat(LINKS)}1`,
  blocks: "{".repeat(LINKS) + "}".repeat(LINKS),
  unary: `${"!".repeat(LINKS)}1`,
  templates: `\`${`${HOLE}\``.repeat(LINKS)}`,
  conditionals: `${"1?".repeat(LINKS)}1${":1".repeat(LINKS)}`,
  news: `${"new ".repeat(LINKS)}f`,
  ifs: `${"if(1)".repeat(LINKS)};`,
  functions: "function f(){".repeat(LINKS) + "}".repeat(LINKS),
  classes: "class A{static x=".repeat(LINKS),
  destructuring: `let ${"[".repeat(LINKS)}a${"]".repeat(LINKS)}=1`,
  powers: `${"1**".repeat(LINKS)}1`,
  labels: `${Array.from({ length: 2000 }, (_, i) => `l${i}:`).join("")};`,
  additions: `1${"+1".repeat(LINKS)}`,
  members: `a${".a".repeat(LINKS)}`,
  commas: `1${",1".repeat(LINKS)}`,
};

const lines: Record<string, string> = {};
for (const [name, body] of Object.entries({ ...CALLS, ...CHAINS })) {
  const { outcome, ticksUsed } = runBody(body, undefined, undefined, TICKS);
  lines[name] = `${outcome} ${ticksUsed}`;
}
for (const [name, source] of Object.entries(SOURCES)) {
  const { outcome, ticksUsed } = runModule(source, undefined, undefined, TICKS);
  lines[`source ${name}`] = `${outcome} ${ticksUsed}`;
}
process.stdout.write(JSON.stringify(lines));
