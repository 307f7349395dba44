/** A seeded search for the program that takes the most time for its gas. See specs/vm/gas.md#calibration. */
import type { GasProgram } from "./gas-programs.ts";
import { prepare } from "./gas-run.ts";

/** A statement and the sizes it is tried with; `N` stands for the size. */
type Template = { readonly text: string; readonly sizes: readonly number[] };

const SMALL = [1, 2, 3, 8, 20, 50];
const LARGE = [1, 10, 100, 1_000, 10_000, 100_000];

/** In every program: values of all kinds, and storage. */
const SETUP =
  "let x = 0, t = 'aßc'.repeat(40), h = '0x' + 'ab'.repeat(32), a = [3, 1, 2], o = {}, b = 3n ** 150n, kept = [];";
const BEFORE =
  'const s = storage({ n: "uint256", m: mapping("address", "uint256"), t: "string", a: array("uint64") });\n' +
  'const E = event("E(address indexed who, uint256 n)"); const F = error("F(uint256 n)");';

const TEMPLATES: readonly Template[] = (
  [
    ["for (let k = 0; k < N; k++) x = (x * 31 + k) | 0", LARGE],
    ["x ^= Math.pow(i % 97, 1 / N) + Math.sin(i * N) + Math.cbrt(i)", SMALL],
    ["x ^= Math.hypot(i, N) + Math.log1p(i) + Math.tan(i + N) + Math.expm1(N % 5)", SMALL],
    ["x ^= (i * 1e-7 * N).toString().length + (i / N).toPrecision(17).length", LARGE],
    ["x ^= parseFloat('0.' + '123456789'.repeat(N)) | 0", SMALL],
    ["o['k' + (i % N)] = i; x ^= o['k' + ((i * 7) % N)] | 0", LARGE],
    ["o = {}; for (let k = 0; k < N; k++) o[k * 7919] = k; for (const k in o) x ^= o[k]", SMALL],
    ["delete o['k' + (i % N)]; o.x = i", SMALL],
    ["a = Array.from({ length: N }, (_, k) => k ^ i); x ^= a.length", [10, 100, 1000]],
    ["a.sort((p, q) => (p ^ i) - q)", [1]],
    ["a = a.concat(a).slice(0, N)", [10, 100, 1000]],
    ["a.unshift(i); a.splice(N % a.length, 1)", SMALL],
    ["x ^= new Map(a.map((v) => [v, i])).size", [1]],
    ["const [p, ...q] = a; x ^= q.length + p", [1]],
    ["kept.push({ i, t, o: [kept.length, { x }] }); if (kept.length > N) kept = []", LARGE],
    ["kept = [kept, [kept]]; if (i % N === 0) kept = []", LARGE],
    ["{ const p = {}, q = { p }; p.q = q; p.r = new Array(N).fill(q) }", SMALL],
    ["t = (t + i).slice(-N)", [10, 100, 1000]],
    ["x ^= t.split('c').length + t.indexOf('zz')", [1]],
    ["t = t.replace(/[ac]/g, (c) => c + 'a').slice(0, N)", [10, 100]],
    ["x ^= /(a|b|c|ß)*d(e+)+$/.test(t.slice(0, N)) ? 1 : 0", [3, 10, 20]],
    ["x ^= /^(\\\\w+\\\\s?)*$/.test('ab '.repeat(N) + '!') ? 1 : 0", [3, 6, 8]],
    ["x ^= t.normalize('NFKD').length + t.toLowerCase().length + t.at(-1).codePointAt(0)", [1]],
    ["x ^= [...t].length", [1]],
    ["x ^= JSON.stringify({ a, t, o: { x } }).length", [1]],
    ["x ^= JSON.parse('[' + '[],'.repeat(N) + '{}]').length", [10, 100, 1000]],
    ["b = (b * b + 1n) % (1n << BigInt(N))", [64, 256, 2048, 20_000]],
    ["x ^= (b ** 3n).toString().length + (b / 7n > 3n ? 1 : 0)", [1]],
    ["b = BigInt.asIntN(256, b << BigInt(N)) | 5n", SMALL],
    ["x ^= new Uint8Array(N).fill(i).length", LARGE],
    ["x ^= new Float64Array(N).map((_, k) => k / 3).length", [10, 100, 1000]],
    [
      "{ const u = new Uint32Array(1 << 15); for (let k = 0; k < N; k++) x ^= u[(k * 40503) & 32767]++ }",
      [10, 1000],
    ],
    ["try { null.x } catch (e) { x ^= e.message.length }", [1]],
    ["try { throw F(BigInt(i)) } catch (e) { x ^= e.payload.length }", [1]],
    ["try { s.n = -1n } catch (e) { x ^= 1 }", [1]],
    ["try { keccak256('no hex') } catch (e) { x ^= 1 }", [1]],
    ["try { abi.decode('uint256[]', '0x01') } catch (e) { x ^= 1 }", [1]],
    ["tryCall('0x' + 'ee'.repeat(20), '0x', { value: 10n ** 30n })", [1]],
    ["x ^= tryCall(self.address, '0xdeadbeef', { gas: 20000n }).data.length", [1]],
    ["staticcall(self.address, '0x6d4ce63c', { gas: 50000n })", [1]],
    ["h = keccak256(h + 'ab'.repeat(N))", LARGE.slice(0, 5)],
    ["h = sha256(h); x ^= ripemd160(h).length", [1]],
    ["x ^= ecrecover(h, 27n, h, h).length", [1]],
    ["s.n = s.n + 1n", [1]],
    ["s.m.set('0x' + (i % N).toString(16).padStart(40, '0'), BigInt(i % 3))", SMALL],
    ["s.a.push(1n); s.a.pop()", [1]],
    ["s.t = 'x'.repeat((N + i) % 200)", LARGE],
    ["E({ who: msg.sender, n: BigInt(i) })", [1]],
    ["x ^= abi.encode('uint256[],string', [b & 255n, 2n], t).length", [1]],
    ["x ^= Number(gasleft() & 7n) + Number(block.number) + msg.data.length", [1]],
    ["x ^= Number(balance('0x' + (i % N).toString(16).padStart(40, '0')) & 7n)", SMALL],
    ["function* g(n) { for (let k = 0; k < n; k++) yield k } for (const v of g(N)) x ^= v", SMALL],
    ["class A { #v = N; get v() { return this.#v } } x ^= new A().v", SMALL],
    ["x ^= Reflect.ownKeys(o).length + Object.entries(o).length", [1]],
    ["x ^= new Proxy(a, {}).concat([i]).length", [1]],
    ["{ const f = (n) => n < 2 ? n : f(n - 1) + f(n - 2); x ^= f(N % 12) }", SMALL],
    ["{ const f = (n) => n === 0 ? 0 : 1 + f(n - 1); x ^= f(N) }", [10, 100, 200]],
  ] as const
).map(([text, sizes]) => ({ text, sizes }));

type Statement = { readonly template: number; readonly size: number };

export type Found = {
  readonly seed: number;
  readonly candidates: number;
  readonly nanosecondsPerGas: number;
  readonly program: GasProgram;
};

const GAS = 150_000;
const MAXIMUM_STATEMENTS = 4;
/** Runs after which a new worst is believed: on a busy machine dozens in a row may lose their core. */
const CONFIRMING_RUNS = 200;

/** Tries `candidates` programs: new ones, and the best so far with one statement changed. */
export function searchWorst(seed: number, candidates: number): Found {
  const random = mulberry32(seed);
  const choose = (count: number): number => Math.floor(random() * count);
  const statement = (): Statement => {
    const template = choose(TEMPLATES.length);
    const { sizes } = TEMPLATES[template]!;
    return { template, size: sizes[choose(sizes.length)]! };
  };
  let best: { statements: Statement[]; nanosecondsPerGas: number } = { statements: [], nanosecondsPerGas: 0 };
  for (let tried = 0; tried < candidates; tried++) {
    let statements = best.statements.slice();
    if (tried < candidates / 2 || statements.length === 0) {
      statements = Array.from({ length: 1 + choose(MAXIMUM_STATEMENTS) }, statement);
    } else if (random() < 0.3 && statements.length > 1) statements.splice(choose(statements.length), 1);
    else statements[choose(Math.min(statements.length + 1, MAXIMUM_STATEMENTS))] = statement();
    const nanosecondsPerGas = measure(programOf(seed, statements), best.nanosecondsPerGas);
    if (nanosecondsPerGas > best.nanosecondsPerGas) best = { statements, nanosecondsPerGas };
  }
  return {
    seed,
    candidates,
    nanosecondsPerGas: best.nanosecondsPerGas,
    program: programOf(seed, best.statements),
  };
}

/** `count` programs as the search begins with them: endless loops around one to four random statements. */
export function randomPrograms(seed: number, count: number): GasProgram[] {
  const random = mulberry32(seed);
  const choose = (limit: number): number => Math.floor(random() * limit);
  return Array.from({ length: count }, () =>
    programOf(
      seed,
      Array.from({ length: 1 + choose(MAXIMUM_STATEMENTS) }, () => {
        const template = choose(TEMPLATES.length);
        const { sizes } = TEMPLATES[template]!;
        return { template, size: sizes[choose(sizes.length)]! };
      }),
    ),
  );
}

function programOf(seed: number, statements: readonly Statement[]): GasProgram {
  const work = statements.map(({ template, size }) =>
    `{ ${TEMPLATES[template]!.text} }`.replaceAll(/\bN\b/g, String(size)),
  );
  return {
    name: `found with seed ${seed}`,
    before: BEFORE,
    body: `${SETUP} for (let i = 1; ; i++) { ${work.join(" ")} }`,
  };
}

/** Time per gas; measured well only when it may be a new worst. */
function measure(program: GasProgram, best: number): number {
  const run = prepare(program);
  run(GAS);
  let least = Number.POSITIVE_INFINITY;
  for (let i = 0; i < CONFIRMING_RUNS && (i < 2 || least > best); i++) {
    const { result, nanosecondsPerGas } = run(GAS);
    // A program that ends early, with an error of its own, is none.
    if (result.outcome !== "out of gas" && result.outcome !== "out of memory") return 0;
    least = Math.min(least, nanosecondsPerGas);
  }
  return least;
}

/** A small generator of pseudo-random numbers below 1, by Tommy Ettinger; any would do. */
function mulberry32(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
