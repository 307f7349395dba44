/** specs/contracts/storage.md#checked-against-solc */
import { deepEqual, ok } from "node:assert/strict";
import fc from "fast-check";
import { encodeFunctionData, parseAbi } from "viem";
import { fromHex, type Hex } from "../../primitives/bytes.ts";
import { decodeContainer } from "../../vm/contract/container.ts";
import {
  evaluateContract,
  EVALUATION_TICK_LIMIT as TICK_LIMIT,
} from "../../vm/contract/evaluate-contract.ts";
import { type StorageLayout, storageLayoutJson } from "../../vm/contract/storage-json.ts";
import { compileSolidity, storageAfter } from "../support/solidity.ts";
import { containerOf, contractSource, Sandbox, sharedEngine } from "../vm/contract/sandbox.ts";
import { FIELDS, type Field, STRUCTS } from "./solc-fields.ts";

const RUN = encodeFunctionData({ abi: parseAbi(["function run()"]) });

/** One contract in both languages, with these fields under names that tell them apart. */
type Twin = {
  readonly name: string;
  readonly fields: readonly Field[];
  readonly place: string;
  readonly at: string;
};

const NOWHERE = { place: "", at: "" };

function solidityOf({ name, fields, place }: Twin): string {
  const variables = fields.map(({ solidity }, i) => `  ${solidity} f${i};`).join("\n");
  const body = fields.map(({ write }, i) => `    ${write("sol", `f${i}`)}`).join("\n");
  return `contract ${name} ${place} {\n${STRUCTS}\n${variables}\n  function run() external {\n${body}\n  }\n}`;
}

function typescriptOf({ fields, at }: Twin): string {
  const declarations = fields.map(({ typescript }, i) => `f${i}: ${typescript}`).join(", ");
  const body = fields.map(({ write }, i) => write("ts", `s.f${i}`)).join("\n");
  return contractSource(
    `functions: { run: external("()", () => { ${body} }) }`,
    `const s = storage({ ${declarations} }${at === "" ? "" : `, ${at}`});`,
  );
}

/** What a layout says of a field, without the names that solc gives structs and syntax trees. */
function described({ types }: StorageLayout, id: string): unknown {
  const type = types[id];
  ok(type, `the layout has ${id}`);
  const { encoding, numberOfBytes, base, key, value, members } = type;
  const layout = { storage: [], types };
  return {
    ...(id.includes("struct") ? {} : { id, label: type.label }),
    encoding,
    numberOfBytes,
    base: base && described(layout, base),
    key: key && described(layout, key),
    value: value && described(layout, value),
    members: members?.map(({ label, slot, offset, type }) => [label, slot, offset, described(layout, type)]),
  };
}

const summary = (layout: StorageLayout) =>
  layout.storage.map(({ label, slot, offset, type }) => [label, slot, offset, described(layout, type)]);

/** The layout and the words a TypeScript contract has after `run`. */
function runTypescript(twin: Twin): { layout: StorageLayout; words: Map<bigint, bigint> } {
  const source = typescriptOf(twin);
  const { container } = decodeContainer(containerOf(source));
  const evaluation = evaluateContract(sharedEngine(), sharedEngine().createInstance(), container, TICK_LIMIT);
  ok(evaluation.outcome === "success");
  const sandbox = new Sandbox();
  const at = sandbox.deploy(source, undefined, { gas: 30_000_000 });
  const { outcome, output } = sandbox.send(at, fromHex(RUN), { gas: 30_000_000 });
  deepEqual([outcome, output], ["success", "0x"]);
  const words = [...(sandbox.journal.changes().accounts.get(at)?.slots ?? [])];
  return {
    layout: storageLayoutJson(`Sample.sol:${twin.name}`, evaluation.contract.definition.layout),
    words: new Map(words.filter(([, word]) => word !== 0n).map(([slot, word]) => [BigInt(slot), word])),
  };
}

const sorted = (words: Map<bigint, bigint>) =>
  [...words]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([slot, word]) => `${slot.toString(16)} ${word.toString(16)}`);

async function compare(twins: readonly Twin[]): Promise<void> {
  const compiled = compileSolidity(twins.map(solidityOf).join("\n"));
  for (const twin of twins) {
    const solidity = compiled[twin.name];
    ok(solidity);
    const { layout, words } = runTypescript(twin);
    deepEqual(summary(layout), summary(solidity.storageLayout));
    deepEqual(sorted(words), sorted(await storageAfter(solidity.bytecode, RUN as Hex)));
  }
}

describe("storage, checked against solc", function () {
  this.timeout(60_000);

  it("every kind of field alone has solc's layout and leaves the same words", async () => {
    await compare(FIELDS.map((field, i) => ({ name: `Alone${i}`, fields: [field], ...NOWHERE })));
  });

  it("all fields in one contract pack as solc packs them", async () => {
    await compare([
      { name: "All", fields: FIELDS, ...NOWHERE },
      { name: "Reversed", fields: FIELDS.toReversed(), ...NOWHERE },
    ]);
  });

  it("so do fields in any order", async () => {
    const orders = fc.sample(fc.shuffledSubarray([...FIELDS], { minLength: 5, maxLength: 14 }), {
      numRuns: 20,
      seed: 7201,
    });
    await compare(orders.map((fields, i) => ({ name: `Shuffled${i}`, fields, ...NOWHERE })));
  });

  it("storage at a slot lies where `layout at` puts it", async () => {
    const slot = "0x183a6125c38840424c4a85fa12bab2ab606c4b6d0e7cc73c0c06ba5300eab500";
    await compare([
      { name: "Placed", fields: FIELDS, place: `layout at ${slot}`, at: `${slot}n` },
      // The same slot, which is the ERC's example of a namespace, by its name.
      { name: "Named", fields: FIELDS, place: `layout at ${slot}`, at: '"example.main"' },
    ]);
  });
});
