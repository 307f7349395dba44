#!/usr/bin/env node
/** npm run bench:consensus: what a slot costs against the number of validators. Medians; compare within one run. */
import "../node/polyfill.ts";
import { cpus } from "node:os";
import { installNativeBackends } from "../node/native/install.ts";
import { measureScale, type ScaleCosts } from "./scale.ts";
import { SINGLE_VOTES } from "./scale-votes.ts";

const NAME_WIDTH = 58;

/** Validators and slots an epoch. The last has as many voters a slot as the one before. */
const SIZES: readonly (readonly [validators: number, slotsPerEpoch: number])[] = [
  [64, 1],
  [1024, 1],
  [4096, 1],
  [16_384, 1],
  [65_536, 4],
];

const ROWS: readonly (readonly [title: string, cost: keyof ScaleCosts])[] = [
  ["voters a slot", "voters"],
  ["committees a slot", "committees"],
  ["block with last slot's votes: transition, ms", "usualBlock"],
  ["full block (16 slots' votes, 30 M gas): transition, ms", "fullBlock"],
  ["  its signatures, ms", "fullBlockSignatures"],
  ["first block of a period: transition, ms", "periodBlock"],
  ["  of it the period's work, ms", "periodWork"],
  ["head after a slot of single votes, ms", "head"],
  ["  signatures of its aggregates, one a committee, ms", "aggregateSignatures"],
  [`${SINGLE_VOTES} single votes of as many peers: signatures, ms`, "singleVotesAlone"],
  ["  the same, gathered, ms", "singleVotesGathered"],
  ["proposer: votes of 64 slots packed, ms", "packing"],
  ["state, serialized, MB", "stateMegabytes"],
  ["engine after 100 slots, resident, MB", "memoryMegabytes"],
];

await installNativeBackends();
const only = process.argv[2] === undefined ? undefined : Number(process.argv[2]);
console.log(`Node ${process.version}, ${cpus().length} × ${cpus()[0]?.model}\n`);
const sizes = SIZES.filter(([validators]) => only === undefined || validators === only);
if (sizes.length === 0) throw new RangeError(`expected one of ${SIZES.map(([size]) => size).join(", ")}`);

const costs: ScaleCosts[] = [];
for (const [validators, slotsPerEpoch] of sizes) costs.push(measureScale(validators, slotsPerEpoch));
const row = (title: string, cells: readonly string[]) =>
  console.log(`${title.padEnd(NAME_WIDTH)}${cells.map((cell) => cell.padStart(12)).join("")}`);
row(
  "validators",
  sizes.map(
    ([validators, slotsPerEpoch]) => `${validators}${slotsPerEpoch > 1 ? ` K=${slotsPerEpoch}` : ""}`,
  ),
);
for (const [title, cost] of ROWS) {
  row(
    title,
    costs.map((measured) => measured[cost].toFixed(measured[cost] < 10 && measured[cost] % 1 > 0 ? 1 : 0)),
  );
}
