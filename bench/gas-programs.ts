/** Programs that each spend their gas on one thing, for ever: what the price of gas is measured with. See specs/vm/gas.md#calibration. */

/** A body of a contract's function that never returns, and what it needs at its module's top level. */
export type GasProgram = { readonly name: string; readonly body: string; readonly before?: string };

const loop = (name: string, work: string, setup = "", before = ""): GasProgram => ({
  name,
  body: `${setup} for (let i = 0; ; i++) { ${work} }`,
  before,
});

const arithmetic: readonly GasProgram[] = [
  loop("integers", "x = (x * 31 + i) | 0", "let x = 1;"),
  loop("floats", "x = x * 1.0000001 + 0.5; if (x > 1e9) x = 0.1", "let x = 0.1;"),
  loop("divisions", "x = ((x / 3.7) % 1e6) + i % 7", "let x = 1e6;"),
  loop("Math", "x = Math.sin(x) + Math.pow(i, 0.3) + Math.atan2(i, x) + Math.exp(x % 3)", "let x = 0.1;"),
  loop(
    "branches",
    "switch (i & 7) { case 0: x++; break; case 3: x ^= 5; break; default: if (x > i) x--; }",
    "let x = 1;",
  ),
  loop("calls", "x = f(x, i)", "let x = 1; const f = (a, b) => a ^ b;"),
  loop("closures", "x = mk(i)(x)", "let x = 1; const mk = (n) => (m) => n ^ m;"),
  loop("try and throw", "try { if (i & 1) throw i; x++ } catch (e) { x ^= e }", "let x = 1;"),
  loop(
    "generators",
    "for (const v of g(20)) x ^= v",
    "let x = 1; function* g(n) { for (let k = 0; k < n; k++) yield k }",
  ),
];

const objects: readonly GasProgram[] = [
  loop(
    "property access",
    "o.a = o.b + o.c.d; o.c.d = i & 255; o.b = o.a",
    "const o = { a: 1, b: 2, c: { d: 3 } };",
  ),
  loop(
    "computed properties",
    "o['k' + (i % 50)] = i; x ^= o['k' + (i % 37)] | 0",
    "const o = {}; let x = 0;",
  ),
  loop(
    "classes",
    "x += new A(i).m(1)",
    "class A { #v; constructor(v) { this.#v = v } m(n) { return this.#v & n } } let x = 0;",
  ),
  loop(
    "spread and rest",
    "x = f(...a, ...a).length; o = { ...o, x }",
    "const a = [1, 2, 3, 4]; let o = {}, x = 0; const f = (...r) => r;",
  ),
  loop(
    "Map and Set",
    "m.set(i % 500, i); s.add(i % 300); x ^= m.get(i % 211) | 0; s.delete(i % 100)",
    "const m = new Map(), s = new Set(); let x = 0;",
  ),
  loop("allocation", "x = { a: i, b: [i, { i }] }", "let x;"),
  loop(
    "allocation kept, then collected",
    "kept.push({ i, next: kept }); if (kept.length > 3000) kept = []",
    "let kept = [];",
  ),
  loop("cycles for the collector", "const a = {}, b = { a }; a.b = b", ""),
  loop(
    "proxies",
    "x ^= p['k' + (i & 3)]",
    "const p = new Proxy({}, { get: (_, k) => k.length }); let x = 0;",
  ),
];

const texts: readonly GasProgram[] = [
  loop("concatenation", "s += i.toString(16); if (s.length > 500) s = s.slice(250)", "let s = '';"),
  loop(
    "search in text",
    "x += t.indexOf('zz') + t.lastIndexOf('yy')",
    "const t = 'ab'.repeat(20000); let x = 0;",
  ),
  loop("repeat and split", "x += 'ab,'.repeat(3000).split(',').length", "let x = 0;"),
  loop(
    "case and normalization",
    "x += t.toUpperCase().length + t.normalize('NFD').length",
    "const t = 'Straße Ünïcödé'.repeat(40); let x = 0;",
  ),
  loop("replace", "x += t.replaceAll('a', 'bb').length", "const t = 'abcabc'.repeat(300); let x = 0;"),
  loop(
    "wide characters",
    "s = String.fromCharCode(0x4e00 + (i & 255)).repeat(200) + s.slice(0, 300); x ^= s.charCodeAt(99)",
    "let s = '', x = 0;",
  ),
  loop(
    "regex",
    "for (const m of t.matchAll(/(\\\\w+)=(\\\\w+);/g)) x += m[1].length",
    "const t = 'foo=bar; baz=qux42; '.repeat(20); let x = 0;",
  ),
  loop(
    "regex that backtracks",
    "x += /^(a+)+$/.test(t) ? 1 : 0",
    "const t = 'a'.repeat(18) + 'b'; let x = 0;",
  ),
  loop(
    "JSON",
    "x += JSON.stringify(JSON.parse(t)).length",
    "const t = JSON.stringify(Array.from({ length: 50 }, (_, k) => ({ id: k, name: 'n' + k, v: [k, null, 1.5] }))); let x = 0;",
  ),
  loop(
    "numbers to text",
    "x += (i * 1.1).toString().length + (i / 7).toFixed(9).length + parseFloat('1.' + i)",
    "let x = 0;",
  ),
];

const bulk: readonly GasProgram[] = [
  loop(
    "sort",
    "a.map((v) => (v * 7919) % 10007).sort((p, q) => p - q)",
    "const a = Array.from({ length: 500 }, (_, k) => k);",
  ),
  loop(
    "sort of texts",
    "a.slice().sort()",
    "const a = Array.from({ length: 300 }, (_, k) => String((k * 7919) % 503));",
  ),
  loop(
    "array methods",
    "x ^= a.filter((v) => v & 1).map((v) => v * 2).reduce((p, q) => p + q, 0)",
    "const a = Array.from({ length: 100 }, (_, k) => k); let x = 0;",
  ),
  loop(
    "shift and splice",
    "a.push(i); a.unshift(i); a.splice(50, 2, i); a.shift(); a.pop()",
    "const a = Array.from({ length: 500 }, (_, k) => k);",
  ),
  loop("typed arrays", "b[i & 4095] = b[(i * 7) & 4095] + 1", "const b = new Uint32Array(4096);"),
  loop(
    "bulk memory",
    "b.fill(i); b.copyWithin(1, 0); b.set(c, 9)",
    "const b = new Uint8Array(200000), c = new Uint8Array(100000);",
  ),
  loop(
    "memory out of cache",
    "x ^= b[(i * 40503) & (n - 1)]++",
    "const n = 1 << 16, b = new Uint32Array(n); let x = 0;",
  ),
  loop("new buffers", "x += new Uint8Array(60000).length", "let x = 0;"),
];

/** Sizes in bits. */
const bigints: readonly GasProgram[] = [64, 256, 1024, 8192, 60_000].flatMap((bits) => [
  loop(
    `BigInt product of ${bits} bits`,
    `x = (x * x) & m`,
    `const m = (1n << ${bits >> 1}n) - 1n; let x = m - 3n;`,
  ),
  loop(
    `BigInt remainder of ${bits} bits`,
    `x = (m * m - BigInt(i)) % (p - x)`,
    `const p = (1n << ${bits >> 1}n) - 9n, m = p - 5n; let x = 7n;`,
  ),
]);
const moreBigints: readonly GasProgram[] = [
  loop(
    "BigInt to text",
    "x += m.toString().length + BigInt(m.toString(16) === '' ? 1 : '0x' + t).toString(36).length",
    "const t = 'f9'.repeat(200), m = BigInt('0x' + t); let x = 0;",
  ),
  loop("BigInt power", "x = 3n ** BigInt(200 + (i & 255))", "let x;"),
];

const storage =
  'const s = storage({ n: "uint256", m: mapping("address", "uint256"), t: "string", a: array("uint64") });';
const who = '"0x" + (i % 9).toString(16).padStart(40, "0")';

const host: readonly GasProgram[] = [
  loop("host: sender", "x = msg.sender", "let x;"),
  loop("host: gas left", "x = gasleft()", "let x;"),
  loop("host: warm read", "x = s.n", "let x;", storage),
  loop("host: warm write", "s.n = BigInt(i & 1)", "", storage),
  loop("host: cold read", `x = s.m.get("0x" + i.toString(16).padStart(40, "0"))`, "let x;", storage),
  loop("host: mapping", `s.m.add(${who}, 1n)`, "", storage),
  loop("host: text in storage", "s.t = 'x'.repeat(300 + (i & 7)); x = s.t", "let x;", storage),
  loop("host: refused value", "try { s.n = -1n } catch (e) { x++ }", "let x = 0;", storage),
  loop("host: refused text", "try { keccak256('no hex') } catch (e) { x++ }", "let x = 0;"),
  loop("host: refused call", "tryCall(self.address, '0x', { value: 10n ** 30n })", ""),
  loop(
    "host: event",
    `E({ who: msg.sender, n: BigInt(i) })`,
    "",
    'const E = event("E(address indexed who, uint256 n)");',
  ),
  loop("host: large event", "E({ t })", "const t = 'x'.repeat(5000);", 'const E = event("E(string t)");'),
  loop("host: keccak256", "x = keccak256(x)", "let x = '0x00';"),
  loop("host: large keccak256", "x = keccak256(t)", "const t = '0x' + 'ab'.repeat(20000); let x;"),
  loop("host: sha256", "x = sha256(t)", "const t = '0x' + 'ab'.repeat(2000); let x;"),
  loop("host: ripemd160", "x = ripemd160(t)", "const t = '0x' + 'ab'.repeat(2000); let x;"),
  loop("host: ecrecover", "x = ecrecover(h, 27n, h, h)", "let x; const h = '0x' + 'ab'.repeat(32);"),
  loop(
    "host: encode",
    "x = abi.encode('uint256,string,address[]', 5n, 'text', [msg.sender, msg.sender])",
    "let x;",
  ),
  loop(
    "host: decode",
    "x = abi.decode('uint256[]', d)",
    "const d = abi.encode('uint256[]', Array.from({ length: 100 }, (_, k) => BigInt(k))); let x;",
  ),
  loop("host: balance", `x = balance(${who})`, "let x;"),
  loop("host: call of an account", `call(${who}, '0x')`, ""),
  loop("host: call of itself", "tryCall(self.address, '0xdeadbeef', { gas: 20000n })", ""),
  loop(
    "host: static call that runs",
    "staticcall(self.address, get, { gas: 200000n })",
    "const get = msg.data.slice(0, 2) + '6d4ce63c';",
  ),
  loop(
    "host: call that runs out of gas",
    "tryCall(self.address, spin, { gas: 9000n })",
    "const spin = '0xf0acd7d5';",
  ),
  loop("host: transient storage", "s.n = s.n + 1n", "", 'const s = transientStorage({ n: "uint256" });'),
  loop("host: console.log", "console.log('line', i)", ""),
];

export const GAS_PROGRAMS: readonly GasProgram[] = [
  ...arithmetic,
  ...objects,
  ...texts,
  ...bulk,
  ...bigints,
  ...moreBigints,
  ...host,
];
