/** What the search found to take most time for its gas; it sets the prices. See specs/vm/gas.md#calibration. */
import type { GasProgram } from "./gas-programs.ts";

/** `npm run bench:gas -- --search 600 --seed 17`: data that cannot be decoded, refused again and again. */
export const WORST_PROGRAM: GasProgram = {
  name: "found with seed 17 among 600",
  body:
    "let x = 0, t = 'aßc'.repeat(40), h = '0x' + 'ab'.repeat(32), a = [3, 1, 2], o = {}, b = 3n ** 150n, kept = []; " +
    "for (let i = 1; ; i++) { { try { abi.decode('uint256[]', '0x01') } catch (e) { x ^= 1 } } }",
};
