import { deepEqual, equal, match, throws } from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Ajv } from "ajv";
import fc from "fast-check";
import { readSystemAllocation } from "../../contracts/build/system-image.ts";
import { readChainSpec } from "../../node/chain-spec.ts";
import { buildConsensusGenesis, buildExecutionGenesis } from "../../node/genesis.ts";
import { SlashingProtection, type Watermarks } from "../../node/storage/slashing-protection.ts";
import { encodeInterchange, InterchangeError, parseInterchange } from "../../node/validator/interchange.ts";
import { type Hash, type Hex, toHex } from "../../primitives/bytes.ts";
import { prepareNetwork } from "../../testnet/network-files.ts";
import { parseTestnetOptions } from "../../testnet/options.ts";
import { runProgram } from "../support/program-run.ts";
import { withScratchDatabase } from "../support/scratch-database.ts";
import { withScratchDirectory } from "../support/scratch-directory.ts";
import { PROJECT_ROOT, vectorsPath } from "../support/vectors.ts";
import { hashOf } from "./model-state.ts";

const KEY: Hex = `0x${"b8".repeat(48)}`;
const ROOT: Hash = `0x${"04".repeat(32)}`;
const file = (data: unknown, metadata: object = {}) =>
  JSON.stringify({
    metadata: { interchange_format_version: "5", genesis_validators_root: ROOT, ...metadata },
    data,
  });
const history = (blocks: readonly object[], votes: readonly object[], pubkey: string = KEY) => ({
  pubkey,
  signed_blocks: blocks,
  signed_attestations: votes,
});
const vote = (source: number, target: number, root?: Hash) => ({
  source_epoch: String(source),
  target_epoch: String(target),
  ...(root === undefined ? {} : { signing_root: root }),
});

/** The EIP's own text, with its schema and its example. */
function eip(this: Mocha.Context, title: string): unknown {
  const text = readFileSync(join(vectorsPath(this, "eips"), "EIPS/eip-3076.md"), "utf8");
  const [, json = ""] = text.slice(text.indexOf(title)).match(/```json\n([\s\S]*?)```/) ?? [];
  return JSON.parse(json);
}

describe("the slashing protection interchange", () => {
  it("reads the EIP's example", function () {
    const example = eip.call(this, "### Example JSON Instance") as {
      metadata: { genesis_validators_root: Hash };
    };
    const chain = example.metadata.genesis_validators_root;
    deepEqual(parseInterchange(JSON.stringify(example), chain), [
      {
        publicKey:
          "0xb845089a1457f811bfc000588fbb4e713669be8ce060ea6be3c6ece09afc3794106c91ca73acda5e5457122d58723bed",
        block: {
          slot: 81_952,
          signingRoot: "0x4ff6f743a43f3b4f95350831aeaf0a122a1a392922c45d804280284a69eb850b",
        },
        attestation: { sourceEpoch: 2290, targetEpoch: 3008, signingRoot: undefined },
      },
    ]);
  });

  it("takes the maximum of a complete history, over all entries of a key", () => {
    const text = file([
      history(
        [{ slot: "4" }, { slot: "98", signing_root: hashOf(1) }],
        [vote(5, 6, hashOf(2)), vote(3, 9, hashOf(3))],
      ),
      history([{ slot: "98", signing_root: hashOf(9) }], [], KEY.toUpperCase().replace("0X", "0x")),
      history([], [], `0x${"aa".repeat(48)}`),
    ]);
    deepEqual(parseInterchange(text, ROOT), [
      {
        publicKey: KEY,
        // Two different blocks at one slot: neither may be signed again.
        block: { slot: 98, signingRoot: undefined },
        attestation: { sourceEpoch: 5, targetEpoch: 9, signingRoot: hashOf(3) },
      },
      { publicKey: `0x${"aa".repeat(48)}`, block: undefined, attestation: undefined },
    ]);
  });

  it("refuses what it must", () => {
    const cases: readonly (readonly [string, string])[] = [
      ["{", "INTERCHANGE_NOT_JSON"],
      ["[]", "INTERCHANGE_MALFORMED"],
      [file([], { interchange_format_version: "4" }), "INTERCHANGE_OTHER_VERSION"],
      [file([], { genesis_validators_root: hashOf(1) }), "INTERCHANGE_OTHER_CHAIN"],
      [file([], { genesis_validators_root: "0x12" }), "INTERCHANGE_MALFORMED"],
      [file([history([], [], "0x12")]), "INTERCHANGE_MALFORMED"],
      [file([history([{ slot: 5 }], [])]), "INTERCHANGE_MALFORMED"],
      [file([history([{ slot: "-5" }], [])]), "INTERCHANGE_MALFORMED"],
      [file([history([{ slot: "9007199254740992" }], [])]), "INTERCHANGE_MALFORMED"],
      [file([history([{ slot: "5", signing_root: "0x" }], [])]), "INTERCHANGE_MALFORMED"],
      [file([history([], [vote(7, 6)])]), "INTERCHANGE_MALFORMED"],
      [file([{ pubkey: KEY, signed_blocks: [] }]), "INTERCHANGE_MALFORMED"],
    ];
    for (const [text, code] of cases) {
      throws(
        () => parseInterchange(text, ROOT),
        (error: unknown) => {
          equal(error instanceof InterchangeError && error.detail.code, code, text);
          return true;
        },
      );
    }
  });

  const number = fc.nat({ max: 2 ** 31 });
  const root = fc.option(fc.constantFrom(hashOf(1), hashOf(2)), { nil: undefined });
  const someHistory: fc.Arbitrary<Watermarks> = fc.record(
    {
      publicKey: fc.constantFrom<Hex>(KEY, `0x${"aa".repeat(48)}`),
      attestation: fc.option(
        fc.tuple(number, number, root).map(([a, b, signingRoot]) => ({
          sourceEpoch: Math.min(a, b),
          targetEpoch: Math.max(a, b),
          signingRoot,
        })),
        { nil: undefined },
      ),
      block: fc.option(fc.record({ slot: number, signingRoot: root }, { noNullPrototype: true }), {
        nil: undefined,
      }),
    },
    { noNullPrototype: true },
  );

  it("writes what the EIP's schema describes and what it reads again", function () {
    const schema = eip.call(this, "### JSON Schema") as object;
    const validate = new Ajv({ strict: false }).compile(schema);
    fc.assert(
      fc.property(fc.uniqueArray(someHistory, { selector: ({ publicKey }) => publicKey }), (histories) => {
        const text = encodeInterchange(histories, ROOT);
        equal(validate(JSON.parse(text)), true, JSON.stringify(validate.errors));
        deepEqual(parseInterchange(text, ROOT), histories);
      }),
      { numRuns: 50 },
    );
  });

  it("never lowers a watermark, in whatever order files are imported", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(someHistory, { maxLength: 6 }), async (histories) => {
        await withScratchDatabase("validator", async (database) => {
          const protection = new SlashingProtection(database);
          for (const one of histories) {
            const before = protection.historyOf(one.publicKey);
            await protection.raiseAll([one]);
            const after = protection.historyOf(one.publicKey);
            for (const part of [before, one]) {
              equal((after.block?.slot ?? -1) >= (part.block?.slot ?? -1), true);
              equal((after.attestation?.targetEpoch ?? -1) >= (part.attestation?.targetEpoch ?? -1), true);
              equal((after.attestation?.sourceEpoch ?? -1) >= (part.attestation?.sourceEpoch ?? -1), true);
            }
            await protection.raiseAll([one]);
            deepEqual(protection.historyOf(one.publicKey), after);
          }
        });
      }),
      { numRuns: 20 },
    );
  });

  it("is moved by the program, all of a file or nothing", async () => {
    await withScratchDirectory(async (dir) => {
      const options = parseTestnetOptions(["--dir", join(dir, "net"), "--nodes", "1"]);
      const { specPath } = prepareNetwork(options, 1_800_000_000, readSystemAllocation());
      const spec = readChainSpec(specPath);
      const { state } = buildConsensusGenesis(spec, buildExecutionGenesis(spec).block);
      const chain = toHex(state.genesisValidatorsRoot);
      const run = (...args: string[]) =>
        runProgram(process.execPath, [
          ...[join(PROJECT_ROOT, "dist/node/main.js"), "slashing-protection", ...args],
          ...["--dir", join(dir, "node"), "--chain-spec", specPath],
        ]);
      const path = join(dir, "in.json");
      writeFileSync(path, file([history([{ slot: "7" }], [vote(2, 3)])], { genesis_validators_root: chain }));
      const imported = await run("import", path);
      deepEqual([imported.code, imported.stdout], [0, "took over what 1 keys signed\n"]);

      writeFileSync(
        path,
        file([history([{ slot: "70" }], []), history([{ slot: "x" }], [])], {
          genesis_validators_root: chain,
        }),
      );
      const refused = await run("import", path);
      equal(refused.code, 3);
      match(refused.stderr, /INTERCHANGE_MALFORMED field=data\.1\.signed_blocks\.0\.slot/);

      const exported = await run("export");
      deepEqual(parseInterchange(exported.stdout, chain), [
        {
          publicKey: KEY,
          block: { slot: 7, signingRoot: undefined },
          attestation: { sourceEpoch: 2, targetEpoch: 3, signingRoot: undefined },
        },
      ]);
      equal((await run("import", join(dir, "missing.json"))).code, 4);
    });
  }).timeout(60_000);
});
