/** Ticks are counted inside built-in functions too. specs/vm/engine/engine.md#ticks */
import { equal } from "node:assert/strict";
import { runBody } from "./guest-programs.ts";

/** Endless, or far beyond the limit, within one or a few calls of built-ins. */
const PROGRAMS: Readonly<Record<string, string>> = {
  "an empty loop": "for (;;);",
  "regex backtracking": "/^(a+)+$/.test('a'.repeat(40) + 'b')",
  "squaring a BigInt": "let x = 3n ** 1000n; for (;;) { x = x * x % (2n ** 32000n) }",
  "printing a BigInt": "const x = 2n ** 65000n; for (;;) x.toString()",
  "parsing a BigInt": "const s = '9'.repeat(15000); for (;;) BigInt(s)",
  "String.repeat": "let n = 0; for (;;) n += 'x'.repeat(500000).length",
  "filling a typed array": "for (;;) new Uint8Array(500000).fill(7)",
  "copying inside a typed array": "const u = new Uint8Array(500000); for (;;) u.copyWithin(0, 1)",
  "copying typed arrays": "const u = new Uint8Array(500000), v = new Uint8Array(500000); for (;;) u.set(v)",
  "slicing an ArrayBuffer": "const b = new ArrayBuffer(500000); for (;;) b.slice(0)",
  "sorting an array":
    "const a = Array.from({ length: 20000 }, (_, i) => i * 7919 % 100003); for (;;) a.slice().sort()",
  "sorting a typed array":
    "const a = new Float64Array(30000).map((_, i) => i * 7919 % 100003); for (;;) a.slice().sort()",
  "JSON.parse": "const s = '[' + '1,'.repeat(20000) + '1]'; for (;;) JSON.parse(s)",
  "JSON.stringify": "const a = new Array(20000).fill({ a: 1 }); for (;;) JSON.stringify(a)",
  "indexOf of a character": "const s = 'a'.repeat(500000); for (;;) s.indexOf('b')",
  "indexOf of a text": "const s = 'a'.repeat(200000), t = 'a'.repeat(1000) + 'b'; for (;;) s.indexOf(t)",
  "Array.includes": "const a = new Array(100000).fill(1); for (;;) a.includes(2)",
  "split and join": "const s = 'a,'.repeat(10000); for (;;) s.split(',').join(';')",
  "replacing by regex": "const s = 'a,'.repeat(10000); for (;;) s.replace(/,/g, ';')",
  "growing a concatenation":
    "let s = 'ab'; for (;;) { s = s + s; if (s.length > 1e6) s = 'ab' + s.charAt(3) }",
  "compiling regexes": "const s = '(?:a|b)*'.repeat(500); for (;;) new RegExp(s)",
  "collecting cycles": "for (;;) { const a = {}; a.a = a }",
  "a growing Map": "const m = new Map(); for (let i = 0; ; i++) m.set(i % 20000, i)",
  "String.normalize": "const s = 'A\\u030a'.repeat(20000); for (;;) s.normalize('NFC')",
  "String.toUpperCase": "const s = '\\u00e9'.repeat(200000); for (;;) s.toUpperCase()",
  "filling a sparse array": "const a = []; a.length = 4294967295; a.fill(0)",
  "walking a sparse array": "const a = []; a.length = 4294967295; a.forEach((x) => x)",
  spreading: "const a = new Array(5000).fill(1); for (;;) Math.max(...a)",
  "encoding a URI": "const s = 'é'.repeat(20000); for (;;) decodeURIComponent(encodeURIComponent(s))",
};

const TICKS = 100_000_000;

describe("engine: ticks inside built-ins", () => {
  for (const [name, program] of Object.entries(PROGRAMS)) {
    it(`run out in ${name}`, () => {
      const result = runBody(program, undefined, undefined, TICKS);
      equal(result.outcome, "out of gas");
      equal(result.ticksUsed, TICKS);
    });
  }
});
