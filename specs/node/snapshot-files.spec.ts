/** Evaluated contracts on disk: lost, damaged and foreign ones change nothing but time. specs/node/storage.md#contract-snapshots */
import { deepEqual, equal } from "node:assert/strict";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { buildContract } from "../../contracts/build/build-contract.ts";
import { readEngineImage } from "../../node/engine-image.ts";
import { readBootImage } from "../../node/std-image.ts";
import { SnapshotFiles } from "../../node/storage/snapshot-files.ts";
import { fromHex, type Hash, type Hex } from "../../primitives/bytes.ts";
import { keccak256Hex } from "../../primitives/hash.ts";
import { decodeContainer } from "../../vm/contract/container.ts";
import { evaluateContract } from "../../vm/contract/evaluate-contract.ts";
import type { LoadedContract } from "../../vm/contract/snapshot-cache.ts";
import {
  decodeContract,
  encodeContract,
  readLoadSize,
  STORED_HEAD_BYTES,
} from "../../vm/contract/stored-contract.ts";
import { createEngine, type Engine } from "../../vm/engine/engine.ts";
import { withScratchDirectory } from "../support/scratch-directory.ts";
import { PROJECT_ROOT } from "../support/vectors.ts";

const EXAMPLES = ["token", "items", "multisig-wallet", "counter"].filter((name) =>
  existsSync(join(PROJECT_ROOT, `contracts/examples/${name}.ts`)),
);

const hashOf = (n: number): Hash => `0x${n.toString(16).padStart(64, "0")}`;

/** Definitions hold compiled codecs; what is data in them tells them apart. */
const dataOf = ({ definition, ...rest }: LoadedContract) => {
  const { name, isUpgradeable, selectors, functionOf, construct, receive, fallback } = definition;
  const { events, errors, storages, lists, abi, layout } = definition;
  const functions = selectors.map((selector) => functionOf.call(definition, selector));
  const entries = { construct, receive, fallback, functions };
  const parts = { name, isUpgradeable, ...entries, events, errors, storages, lists, abi, layout };
  const asText = (_key: string, value: unknown) => (typeof value === "bigint" ? value.toString() : value);
  return { ...rest, definition: JSON.parse(JSON.stringify(parts, asText)) };
};

const whole = (): boolean => true;

describe("contract snapshots on disk", () => {
  let engine: Engine;
  const contracts = new Map<Hash, LoadedContract>();
  let codeHash: Hash;
  let stored: Uint8Array;

  before(async function () {
    this.timeout(60_000);
    engine = createEngine({ wasm: readEngineImage(), boot: readBootImage() });
    const instance = engine.createInstance();
    for (const name of EXAMPLES) {
      const path = join(PROJECT_ROOT, `contracts/examples/${name}.ts`);
      const { bytecode } = await buildContract(path, { typeCheck: false });
      const code = fromHex(bytecode as Hex);
      const evaluation = evaluateContract(engine, instance, decodeContainer(code).container, 1e9);
      if (evaluation.outcome !== "success") throw new Error(`${name}: ${evaluation.outcome}`);
      contracts.set(keccak256Hex(code), evaluation.contract);
    }
    codeHash = [...contracts.keys()][0]!;
    stored = encodeContract(engine, codeHash, contracts.get(codeHash)!);
  });

  it("give back the contract that was evaluated: its memory, its definition, its price", () => {
    for (const [hash, contract] of contracts) {
      const decoded = decodeContract(engine, hash, encodeContract(engine, hash, contract));
      deepEqual(dataOf(decoded!), dataOf(contract));
    }
  });

  it("are none when a bit is wrong or a byte is missing", () => {
    fc.assert(
      fc.property(fc.nat(8 * stored.length - 1), (bit) => {
        const damaged = stored.slice();
        damaged[bit >> 3]! ^= 1 << (bit & 7);
        equal(decodeContract(engine, codeHash, damaged), undefined);
      }),
      { numRuns: 50 },
    );
    for (const length of [0, 1, STORED_HEAD_BYTES - 1, STORED_HEAD_BYTES, stored.length - 1]) {
      equal(decodeContract(engine, codeHash, stored.subarray(0, length)), undefined);
    }
    equal(decodeContract(engine, codeHash, Uint8Array.of(...stored, 0)), undefined);
  });

  it("are none of another code, or of another engine", () => {
    equal(decodeContract(engine, hashOf(1), stored), undefined);
    const other = { id: hashOf(2), base: engine.base } as unknown as Engine;
    equal(decodeContract(other, codeHash, stored), undefined);
  });

  it("say in their first bytes what loading takes, and are read no further when it is too much", () =>
    withScratchDirectory(async (directory) => {
      const { pageCount, deltaBytes, definitionBytes } = contracts.get(codeHash)!;
      const head = stored.subarray(0, STORED_HEAD_BYTES);
      deepEqual(readLoadSize(engine, codeHash, head), { pageCount, deltaBytes, definitionBytes });
      for (let at = 0; at < head.length; at++) {
        const damaged = head.slice();
        damaged[at]! ^= 1;
        equal(readLoadSize(engine, codeHash, damaged), undefined);
      }
      const files = new SnapshotFiles({ directory, nowMs: () => 1_000 });
      files.put(codeHash, stored);
      const seen: Uint8Array[] = [];
      const refuse = (bytes: Uint8Array) => seen.push(bytes) === 0;
      equal(files.get(codeHash, refuse), undefined);
      deepEqual(seen, [head]);
    }));

  it("come back from files, whatever became of the files", () =>
    withScratchDirectory(async (directory) => {
      const files = new SnapshotFiles({ directory, nowMs: () => 1_000 });
      equal(files.get(codeHash, whole), undefined);
      files.put(codeHash, stored);
      deepEqual(new Uint8Array(files.get(codeHash, whole)!), stored);
      const path = join(directory, codeHash.slice(2));
      deepEqual(new Uint8Array(readFileSync(path)), stored);
      deepEqual(readdirSync(directory), [codeHash.slice(2)]);

      const tooLarge = Buffer.alloc(9 * 1024 * 1024);
      for (const content of [
        stored.subarray(0, stored.length >> 1),
        Buffer.alloc(0),
        Buffer.from("no"),
        tooLarge,
      ]) {
        writeFileSync(path, content);
        const read = files.get(codeHash, whole);
        equal(read === undefined ? undefined : decodeContract(engine, codeHash, read), undefined);
      }
      files.put(codeHash, stored);
      deepEqual(new Uint8Array(files.get(codeHash, whole)!), stored);
      const reader = new SnapshotFiles({ directory, isReadOnly: true, nowMs: () => 1_000 });
      reader.put(hashOf(3), stored);
      equal(reader.get(hashOf(3), whole), undefined);
      deepEqual(new Uint8Array(reader.get(codeHash, whole)!), stored);
    }));

  it("stay within their limit: those not used for longest go", () =>
    withScratchDirectory(async (directory) => {
      const content = Uint8Array.from({ length: 10_000 }, (_, i) => (i * 7919) >> 3);
      const size = content.length;
      const clock = { now: 1_700_000_000_000 };
      const open = () => new SnapshotFiles({ directory, limitBytes: 5 * size, nowMs: () => clock.now });
      const files = open();
      for (let n = 0; n < 5; n++) {
        files.put(hashOf(n), content);
        const seconds = clock.now / 1000 - 1000 + n;
        utimesSync(join(directory, hashOf(n).slice(2)), seconds, seconds);
      }
      files.get(hashOf(0), whole);
      files.put(hashOf(5), content);
      const kept = readdirSync(directory).toSorted();
      deepEqual(
        kept,
        [0, 3, 4, 5].map((n) => hashOf(n).slice(2)),
      );
      const total = kept.reduce((sum, name) => sum + statSync(join(directory, name)).size, 0);
      equal(total <= 5 * size, true);
      new SnapshotFiles({ directory, limitBytes: size, nowMs: () => clock.now });
      equal(readdirSync(directory).length, 0);
    }));

  it("fail without harm where nothing can be kept", () =>
    withScratchDirectory(async (directory) => {
      const file = join(directory, "file");
      writeFileSync(file, "");
      const faults: unknown[] = [];
      const files = new SnapshotFiles({
        directory: join(file, "below"),
        nowMs: () => 0,
        onFault: (error) => faults.push(error),
      });
      files.put(codeHash, stored);
      equal(files.get(codeHash, whole), undefined);
      equal(faults.length, 2);
      const inTheWay = new SnapshotFiles({
        directory,
        nowMs: () => 0,
        onFault: (error) => faults.push(error),
      });
      mkdirSync(join(directory, codeHash.slice(2)));
      inTheWay.put(codeHash, stored);
      equal(inTheWay.get(codeHash, whole), undefined);
      equal(faults.length, 3);
    }));
});
