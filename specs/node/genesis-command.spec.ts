import { deepEqual, equal, match, ok, throws } from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { computeEpochAtSlot } from "../../consensus/time.ts";
import { parseChainSpec } from "../../node/chain-spec.ts";
import { ChainSpecError } from "../../node/genesis/spec-issues.ts";
import { buildConsensusGenesis, buildExecutionGenesis } from "../../node/genesis.ts";
import { runProgram } from "../support/program-run.ts";
import { withScratchDirectory } from "../support/scratch-directory.ts";
import { PROJECT_ROOT } from "../support/vectors.ts";

const PROGRAM = join(PROJECT_ROOT, "dist/node/main.js");
const ADDRESS = `0x${"11".repeat(20)}`;

const genesis = (...args: string[]) => runProgram(process.execPath, [PROGRAM, "genesis", ...args]);
const make = (...args: string[]) =>
  genesis("make", "--chain-id", "8701", "--genesis-time", "1800000000", ...args);
const interop = ["--interop-validators", "2", "--withdrawal-address", ADDRESS];

/** Made once; each test changes a field of its own copy. */
let spec: { [field: string]: unknown; validators: { [field: string]: unknown }[] };

const parse = (changes: object) => parseChainSpec(JSON.stringify({ ...spec, ...changes }), "chain.json");

/** The fields that are refused, with what is said about them. */
function issuesOf(changes: object): readonly string[] {
  try {
    const parsed = parse(changes);
    buildConsensusGenesis(parsed, buildExecutionGenesis(parsed).block);
  } catch (error) {
    if (!(error instanceof ChainSpecError)) throw error;
    return error.issues.map(({ path, problem }) => `${path}: ${problem}`);
  }
  return [];
}

describe("jurat genesis", function () {
  this.timeout(60_000);

  before(async () => {
    const { code, stdout, stderr } = await make(...interop);
    equal(code, 0, stderr);
    spec = JSON.parse(stdout);
  });

  it("makes the same bytes from the same flags, for each preset", async () => {
    const roots = await Promise.all(
      ["devnet", "public", "large"].map(async (preset) => {
        const [first, second] = await Promise.all([
          make(...interop, "--preset", preset),
          make(...interop, "--preset", preset),
        ]);
        equal(first.stdout, second.stdout);
        const parsed = parseChainSpec(first.stdout, preset);
        equal(parsed.params.presetName, preset);
        return Buffer.from(
          buildConsensusGenesis(parsed, buildExecutionGenesis(parsed).block).blockRoot,
        ).toString("hex");
      }),
    );
    equal(new Set(roots).size, 3);
  });

  it("writes a file that check describes, and never over another", async () => {
    await withScratchDirectory(async (directory) => {
      const out = join(directory, "chain.json");
      const made = await make(...interop, "--dev-accounts", "--slot-seconds", "2", "--out", out);
      equal(made.code, 0, made.stderr);
      const checked = await genesis("check", out);
      equal(made.stdout, `wrote ${out}\n${checked.stdout}`);
      match(checked.stdout, /^preset +devnet, slots of 2 s$/m);
      match(checked.stdout, /^validators +2 with 64000000000 Gwei$/m);

      const described = JSON.parse((await genesis("check", out, "--json")).stdout);
      ok(checked.stdout.includes(described.blockRoot));
      equal(described.accounts, 16);

      const before = readFileSync(out, "utf8");
      const again = await make(...interop, "--out", out);
      deepEqual([again.code, /it exists/.test(again.stderr)], [3, true]);
      equal(readFileSync(out, "utf8"), before);
    });
  });

  it("takes validators, accounts and forks from files", async () => {
    await withScratchDirectory(async (directory) => {
      const file = (name: string, value: unknown) => {
        writeFileSync(join(directory, name), JSON.stringify(value));
        return join(directory, name);
      };
      const forks = [{ version: "0x00000001", firstPeriod: 0 }];
      const made = await make(
        ...["--validators", file("validators.json", spec.validators)],
        ...["--alloc", file("alloc.json", { [ADDRESS.toUpperCase().replace("0X", "0x")]: { balance: "5" } })],
        ...["--forks", file("forks.json", forks)],
      );
      equal(made.code, 0, made.stderr);
      const parsed = JSON.parse(made.stdout);
      deepEqual([parsed.alloc[ADDRESS], parsed.forks], [{ balance: "5" }, forks]);

      const refused = await make(
        "--validators",
        file("none.json", [{ ...spec.validators[0], amountGwei: "1" }]),
      );
      equal(refused.code, 3);
      match(refused.stderr, /validators\.0\.amountGwei: expected at least 32000000000, got "?1"?/);
    });
  });

  it("asks for what it cannot do without", async () => {
    const cases: readonly (readonly [readonly string[], RegExp])[] = [
      [[], /a chain needs validators/],
      [[...interop, "--validators", "x.json"], /one of them/],
      [["--interop-validators", "1"], /needs --withdrawal-address/],
      [[...interop, "--preset", "mainnet"], /Allowed choices are devnet, testnet, rehearsal, public, large/],
      [[...interop, "--genesis-time", "tomorrow"], /expected Unix seconds/],
    ];
    for (const [flags, expected] of cases) {
      const { code, stderr } = await make(...flags);
      equal(code, 2, stderr);
      match(stderr, expected);
    }
  });
});

describe("a chain spec", () => {
  it("gives a fork schedule by period, over which epochs go on counting", () => {
    const forks = [
      { version: "0x00000001", firstPeriod: 0 },
      { version: "0x00000002", firstPeriod: 10, slotsPerEpoch: 4 },
      { version: "0x00000003", firstPeriod: 12 },
    ];
    const { params } = parse({ forks });
    deepEqual(params.forks, [
      { version: "0x00000001", firstSlot: 0, firstEpoch: 0, slotsPerEpoch: 1 },
      { version: "0x00000002", firstSlot: 320, firstEpoch: 320, slotsPerEpoch: 4 },
      { version: "0x00000003", firstSlot: 384, firstEpoch: 336, slotsPerEpoch: 4 },
    ]);
    deepEqual(
      [319, 320, 323, 324, 384].map((slot) => computeEpochAtSlot(slot, params)),
      [319, 320, 320, 321, 336],
    );
  });

  it("names each wrong field, what was expected and what was there", () => {
    const validator = spec.validators[0]!;
    const cases: readonly (readonly [object, readonly string[]])[] = [
      [{ name: 1 }, ["name: expected string, got 1"]],
      [{ chainId: undefined }, ["chainId: is missing: expected number"]],
      [{ slotSecond: 2 }, ["slotSecond: there is no such field"]],
      [
        { preset: "big" },
        ['preset: expected one of "devnet"|"testnet"|"rehearsal"|"public"|"large", got "big"'],
      ],
      [{ forks: [] }, ["forks: expected at least one fork, got []"]],
      [
        { forks: [{ version: "0x01", firstPeriod: 0 }] },
        ['forks.0.version: expected 4 bytes of hex, got "0x01"'],
      ],
      [
        {
          forks: [
            { version: "0x00000001", firstPeriod: 1 },
            { version: "0x00000001", firstPeriod: 1, slotsPerEpoch: 5 },
          ],
        },
        [
          "forks.0.firstPeriod: expected 0 for the first fork, got 1",
          "forks.1.firstPeriod: expected more than the previous fork's 1, got 1",
          'forks.1.version: expected a version no earlier fork has, got "0x00000001"',
          "forks.1.slotsPerEpoch: expected a divisor of the period's 32 slots, got 5",
        ],
      ],
      [{ alloc: { "0x12": {} } }, ['alloc.0x12: expected an address, got "0x12"']],
      [
        { alloc: { [`0x${"ab".repeat(20)}`]: {}, [`0x${"AB".repeat(20)}`]: {} } },
        [`alloc.0x${"AB".repeat(20)}: expected each account once, got "0x${"AB".repeat(20)}"`],
      ],
      [{ alloc: { [ADDRESS]: { balance: 5 } } }, [`alloc.${ADDRESS}.balance: expected string, got 5`]],
      [{ validators: [] }, ["validators: expected at least one validator, got []"]],
      [
        { validators: [validator, { ...validator, amountGwei: "1" }] },
        [
          `validators.1.publicKey: expected a key no validator before it has, got "${validator["publicKey"]}"`,
        ],
      ],
      [
        { validators: [{ ...validator, publicKey: `0x${"01".repeat(48)}` }] },
        [`validators.0.publicKey: expected a BLS12-381 public key, got "0x${"01".repeat(48)}"`.slice(0, 137)],
      ],
      [
        { validators: [{ ...validator, amountGwei: "31999999999" }] },
        ["validators.0.amountGwei: expected at least 32000000000, got 31999999999"],
      ],
    ];
    for (const [changes, expected] of cases) {
      const actual = issuesOf(changes);
      equal(actual.length, expected.length, JSON.stringify(actual));
      for (const [index, text] of expected.entries()) {
        ok(actual[index]!.startsWith(text.slice(0, 130)), `${actual[index]} is not ${text}`);
      }
    }
  });

  it("is JSON", () => {
    throws(() => parseChainSpec("{", "chain.json"), /chain\.json is not JSON/);
  });
});
