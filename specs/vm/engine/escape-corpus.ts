/** Ways out of JavaScript sandboxes that worked somewhere, each with where it is from. specs/vm/engine/engine.md#hardening */

export type Escape = {
  readonly name: string;
  readonly source: string;
  /** Returns a text that begins with `escaped` when it finds a way out. */
  readonly body: string;
};

/** What an escape would use: whether it got code from a string, or an object from outside. */
const GOT = `const got = (make) => { try { const v = make(); return typeof v === "function" && v() === 7 ? "escaped: code" :
  v !== undefined && v !== null && typeof v === "object" && ("process" in v || "require" in v) ? "escaped: " + typeof v : "kept" } catch (e) { return "kept: " + e.name } };`;

const attempt = (name: string, source: string, body: string): Escape => ({
  name,
  source,
  body: `${GOT} ${body}`,
});

const constructors: readonly Escape[] = [
  attempt(
    "constructor of a constructor",
    "CVE-2017-16088, safe-eval",
    "return got(() => ({}).constructor.constructor('return 7'))",
  ),
  attempt(
    "constructor of an array method",
    "JSFuck, Martin Kleppe",
    "return got(() => []['flat']['constructor']('return 7'))",
  ),
  attempt(
    "constructor of a text method",
    "CVE-2017-16226, static-eval",
    "return got(() => ''['sub']['constructor']('return 7'))",
  ),
  attempt(
    "constructor by a computed name",
    "CVE-2017-16226, static-eval",
    "return got(() => (() => {})[['constr', 'uctor'].join('')]('return 7'))",
  ),
  attempt(
    "constructor by an object that prints as one",
    "CVE-2021-23771, notevil",
    "return got(() => (() => {})[{ toString: () => 'constructor' }]('return 7'))",
  ),
  attempt(
    "constructor of a generator function",
    "Agoric SES, taming of function constructors",
    "return got(() => (function* () {}).constructor('return 7'))",
  ),
  attempt(
    "constructor of an async function",
    "Agoric SES, taming of function constructors",
    "return got(() => (async () => {}).constructor('return 7'))",
  ),
  attempt(
    "constructor of an async generator",
    "Agoric SES, taming of function constructors",
    "return got(() => (async function* () {}).constructor('return 7'))",
  ),
  attempt(
    "constructor of a generator's prototype",
    "Test262, built-ins/GeneratorFunction",
    "return got(() => Object.getPrototypeOf(Object.getPrototypeOf((function* () {})())).constructor.constructor('return 7'))",
  ),
  attempt(
    "constructor of a bound function",
    "CVE-2020-7710, safe-eval",
    "return got(() => (function () {}).bind().constructor('return 7'))",
  ),
  attempt(
    "constructor of an accessor",
    "CVE-2020-7710, safe-eval",
    "return got(() => Object.getOwnPropertyDescriptor(Map.prototype, 'size').get.constructor('return 7'))",
  ),
  attempt(
    "constructor of a species getter",
    "CVE-2023-37466, vm2",
    "return got(() => Object.getOwnPropertyDescriptor(Promise, Symbol.species).get.constructor('return 7'))",
  ),
  attempt(
    "constructor of a class's static block",
    "ECMA-262, ClassStaticBlockDefinition",
    "let f; class A { static { f = this.constructor } } return got(() => f('return 7'))",
  ),
  attempt(
    "constructor with another new.target",
    "ECMA-262, CreateDynamicFunction",
    "return got(() => Reflect.construct(Function, ['return 7'], Object))",
  ),
  attempt(
    "subclass of Function",
    "ECMA-262, CreateDynamicFunction",
    "class F extends Function { constructor() { super('return 7') } } return got(() => new F())",
  ),
  attempt(
    "subclass of a generator's constructor",
    "ECMA-262, CreateDynamicFunction",
    "const G = (function* () {}).constructor; class F extends G { constructor() { super('yield 7') } } return got(() => { const g = new F()(); return () => g.next().value })",
  ),
  attempt(
    "Function by Reflect.apply",
    "PortSwigger, AngularJS sandbox escapes",
    "return got(() => Reflect.apply(Function, undefined, ['return 7']))",
  ),
  attempt("indirect eval", "ECMA-262, PerformEval", "return got(() => (0, globalThis['eval'])('() => 7'))"),
  attempt(
    "eval by its name in a with",
    "ECMA-262, PerformEval",
    "return got(() => Function.prototype.call.call(globalThis.eval, null, '() => 7'))",
  ),
  attempt(
    "dynamic import of data",
    "CVE-2021-23449, vm2",
    "let seen = 'kept'; import('data:text/javascript,export default 7').then(() => { seen = 'escaped' }, () => {}); return seen",
  ),
  attempt(
    "dynamic import of a file",
    "CVE-2021-23449, vm2",
    "let seen = 'kept'; try { import('/etc/passwd').then(() => { seen = 'escaped' }) } catch {} return seen",
  ),
  attempt(
    "import.meta",
    "ECMA-262, HostGetImportMetaProperties",
    "return got(() => Object.keys(import.meta).length > 0 ? () => 7 : null)",
  ),
];

const errors: readonly Escape[] = [
  attempt(
    "prepareStackTrace",
    "CVE-2022-36067, vm2 (SandBreak)",
    "try { Error.prepareStackTrace = (e, frames) => frames } catch {} const s = new Error().stack; return s === undefined ? 'kept' : 'escaped: frames'",
  ),
  attempt(
    "prepareStackTrace on a new global Error",
    "CVE-2022-36067, vm2 (SandBreak)",
    "try { globalThis.Error = { prepareStackTrace: (_, f) => f } } catch {} try { null.x } catch (e) { return e.stack === undefined ? 'kept' : 'escaped: frames' }",
  ),
  attempt(
    "captureStackTrace",
    "CVE-2022-36067, vm2 (SandBreak)",
    "const o = {}; try { Error.captureStackTrace(o) } catch {} return o.stack === undefined ? 'kept' : 'escaped: frames'",
  ),
  attempt(
    "stack of a rejected promise",
    "CVE-2023-29017, vm2",
    "let seen = 'kept'; (async () => { throw new Error() })().catch((e) => { if (e.stack) seen = 'escaped' }); return seen",
  ),
  attempt(
    "error out of deep recursion",
    "CVE-2019-10761, vm2",
    "const f = () => { try { f() } catch (e) { return e } return f() }; const e = f(); return got(() => e.constructor.constructor('return 7'))",
  ),
  attempt(
    "error out of a host function",
    "CVE-2023-29199, vm2",
    "try { host(Symbol()) } catch (e) { return got(() => e.constructor.constructor('return 7')) } return 'kept'",
  ),
  attempt(
    "error thrown by a proxy's trap in a handler",
    "CVE-2023-30547, vm2",
    "const p = new Proxy({}, { getPrototypeOf() { throw { toString: () => 'x' } } }); try { throw p } catch (e) { return got(() => e.constructor.constructor('return 7')) }",
  ),
  attempt(
    "cause with a getter",
    "CVE-2023-29199, vm2",
    "const e = new Error('x', { get cause() { return (() => {}).constructor } }); return got(() => e.cause('return 7'))",
  ),
  attempt(
    "message with a host's text",
    "CVE-2023-37903, vm2",
    "try { host(1, { toString() { throw 1 } }) } catch (e) { return /node|\\/|\\\\.ts|\\\\.js/.test(String(e.message)) ? 'escaped: ' + e.message : 'kept' } return 'kept'",
  ),
  attempt(
    "custom inspection",
    "CVE-2023-37903, vm2",
    "const o = { [Symbol.for('nodejs.util.inspect.custom')]: (d, o, i) => { throw i } }; try { host(1, o) } catch (e) { return got(() => e.constructor.constructor('return 7')) } return 'kept'",
  ),
];

const pollution: readonly Escape[] = [
  attempt(
    "prototype of all objects",
    "CVE-2021-23594, realms-shim",
    "try { ({}).__proto__.polluted = 1 } catch {} return ({}).polluted ? 'escaped' : 'kept'",
  ),
  attempt(
    "constructor's prototype",
    "CVE-2021-23543, realms-shim",
    "try { ({}).constructor.prototype.polluted = 1 } catch {} return ({}).polluted ? 'escaped' : 'kept'",
  ),
  attempt(
    "__proto__ in JSON",
    "CVE-2018-3721, lodash",
    "const o = JSON.parse('{\"__proto__\":{\"polluted\":1}}'); Object.assign({}, o); return ({}).polluted ? 'escaped' : 'kept'",
  ),
  attempt(
    "charAt replaced by join",
    "PortSwigger, AngularJS 1.3 sandbox escape",
    "try { 'a'.constructor.prototype.charAt = [].join } catch {} return 'abc'.charAt(1) === 'b' ? 'kept' : 'escaped'",
  ),
  attempt(
    "toString replaced by call",
    "PortSwigger, AngularJS 1.2 sandbox escape",
    "try { toString.constructor.prototype.toString = toString.constructor.prototype.call } catch {} return got(() => ['a', 'return 7'].sort(toString.constructor))",
  ),
  attempt(
    "__defineGetter__ on a prototype",
    "Annex B, Object.prototype.__defineGetter__",
    "try { Object.prototype.__defineGetter__('polluted', () => 1) } catch {} return ({}).polluted ? 'escaped' : 'kept'",
  ),
  attempt(
    "__lookupGetter__ of the prototype's accessor",
    "PortSwigger, AngularJS sandbox escapes",
    "const set = ({}).__lookupSetter__('__proto__'); try { set.call(Array.prototype, null) } catch {} return [].map ? 'kept' : 'escaped'",
  ),
  attempt(
    "setPrototypeOf of the global object",
    "Figma, An update on plugin security (2019)",
    "try { Object.setPrototypeOf(globalThis, { process: 1 }) } catch {} return typeof process === 'undefined' ? 'kept' : 'escaped'",
  ),
  attempt(
    "array species",
    "CVE-2023-37466, vm2",
    "let seen = 'kept'; const a = [1]; a.constructor = { [Symbol.species]: function (n) { return new Proxy([], { defineProperty(t, k, d) { return Reflect.defineProperty(t, k, d) } }) } }; const b = a.map((x) => x); return got(() => b.constructor.constructor('return 7'))",
  ),
  attempt(
    "typed array species",
    "ECMA-262, TypedArraySpeciesCreate",
    "class U extends Uint8Array { static get [Symbol.species]() { return Float64Array } } const u = new U(8).slice(0, 4); return u.buffer.byteLength > 64 ? 'escaped' : 'kept'",
  ),
  attempt(
    "promise species",
    "CVE-2023-37466, vm2",
    "let seen = 'kept'; class P extends Promise { static get [Symbol.species]() { return function (run) { run((v) => { seen = 'escaped' }, () => {}) } } } P.resolve(1).then(() => 1); return seen",
  ),
  attempt(
    "regular expression's exec",
    "ECMA-262, RegExpExec",
    "const r = /a/; r.exec = () => ({ index: -5, length: 1e9, 0: 'a' }); try { 'aaaa'.replace(r, 'b') } catch {} return 'kept'",
  ),
  attempt(
    "symbol of a primitive conversion in a sort",
    "PortSwigger, AngularJS sandbox escapes",
    "const a = [1, 2, 3]; a.sort((x, y) => { a.length = 0; return 1 }); return a.length > 3 ? 'escaped' : 'kept'",
  ),
  attempt(
    "array that shrinks in its own callback",
    "CVE-2016-4622, JavaScriptCore (slice)",
    "const a = Array.from({ length: 100 }, (_, i) => i); const b = a.slice(0, { valueOf() { a.length = 0; return 100 } }); return b.some((x) => typeof x === 'number' && x > 100) ? 'escaped' : 'kept'",
  ),
  attempt(
    "buffer resized in a conversion",
    "CVE-2020-6418, V8 (side effects)",
    "const u = new Uint8Array(64); try { u.fill({ valueOf() { u.buffer.resize?.(0); return 7 } }) } catch {} return u.length > 64 ? 'escaped' : 'kept'",
  ),
];

const realms: readonly Escape[] = [
  attempt(
    "this of a sloppy function",
    "CVE-2017-16088, safe-eval",
    "return (function () { return this })() === undefined ? 'kept' : 'escaped'",
  ),
  attempt(
    "caller and callee",
    "Caja, ES5/3 sandbox",
    "const f = function () { try { return f.caller } catch (e) { return undefined } }; return got(f)",
  ),
  attempt(
    "arguments.callee.caller",
    "Caja, ES5/3 sandbox",
    "return got(function () { return arguments.callee.caller })",
  ),
  attempt(
    "constructor of the host function",
    "CVE-2023-32314, vm2",
    "return got(() => host.constructor('return 7'))",
  ),
  attempt(
    "property of the host function",
    "CVE-2023-32314, vm2",
    "for (const k of Reflect.ownKeys(host)) { const v = host[k]; if (typeof v === 'object' && v !== null && 'process' in v) return 'escaped' } return 'kept'",
  ),
  attempt("host function as a constructor", "CVE-2023-32314, vm2", "return got(() => new host(1))"),
  attempt(
    "host function on another this",
    "CVE-2023-32314, vm2",
    "return got(() => Reflect.apply(host, globalThis, [1, 'x']))",
  ),
  attempt(
    "proxy around the host function",
    "CVE-2023-32314, vm2",
    "const p = new Proxy(host, { apply(t, self, args) { return args } }); return got(() => p(1).constructor.constructor('return 7'))",
  ),
  attempt(
    "WeakRef and finalization",
    "Agoric SES, removal of WeakRef",
    "return typeof WeakRef + typeof FinalizationRegistry === 'undefinedundefined' ? 'kept' : 'escaped'",
  ),
  attempt(
    "shared memory as a clock",
    "Spectre, Kocher et al. (2018)",
    "return typeof SharedArrayBuffer + typeof Atomics === 'undefinedundefined' ? 'kept' : 'escaped'",
  ),
  attempt("new realm", "TC39, ShadowRealm", "return typeof ShadowRealm === 'undefined' ? 'kept' : 'escaped'"),
  attempt(
    "iterator helpers on a foreign iterator",
    "ECMA-262, Iterator.prototype",
    "return got(() => Iterator.prototype.constructor.constructor('return 7'))",
  ),
  attempt(
    "Symbol.unscopables",
    "Figma, An update on plugin security (2019)",
    "try { Array.prototype[Symbol.unscopables].process = false } catch {} return typeof process === 'undefined' ? 'kept' : 'escaped'",
  ),
  attempt(
    "getter on the module's exports",
    "CVE-2021-23449, vm2",
    "return got(() => ({ get then() { return (() => {}).constructor } }).then('return 7'))",
  ),
  attempt(
    "out of bounds by toReversed",
    "QuickJS 2025-09-13, length beyond 2^29",
    "[].toReversed.call({ length: 2 ** 29 + 1 }); return 'kept'",
  ),
  attempt(
    "out of bounds by with",
    "QuickJS 2025-09-13, length beyond 2^29",
    "try { [].with.call({ length: 2 ** 31 - 1 }, 2 ** 31 - 2, 1) } catch (e) { return 'kept: ' + e.name } return 'kept'",
  ),
  attempt(
    "huge typed array",
    "CVE-2013-6632, V8 (integer overflow)",
    "try { new Float64Array(2 ** 32 - 1) } catch (e) { return 'kept: ' + e.name } return 'escaped'",
  ),
];

export const ESCAPES: readonly Escape[] = [...constructors, ...errors, ...pollution, ...realms];
