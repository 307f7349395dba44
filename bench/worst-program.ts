/** What the search found to take most time for its gas; it sets the prices. See specs/vm/gas.md#calibration. */
import type { GasProgram } from "./gas-programs.ts";

/** `npm run bench:gas -- --search 600 --seed 41`: arrays that are kept, hashes of short texts, functions of Math. */
export const WORST_PROGRAM: GasProgram = {
  name: "found with seed 41 among 600",
  body:
    "let x = 0, t = 'aßc'.repeat(40), h = '0x' + 'ab'.repeat(32), a = [3, 1, 2], o = {}, b = 3n ** 150n, kept = []; " +
    "for (let i = 1; ; i++) { { kept = [kept, [kept]]; if (i % 100000 === 0) kept = [] } { h = keccak256(h + 'ab'.repeat(10)) } " +
    "{ x ^= Math.hypot(i, 2) + Math.log1p(i) + Math.tan(i + 2) + Math.expm1(2 % 5) } }",
};
