/** specs/contracts/storage.md */
import { deepEqual, equal } from "node:assert/strict";
import { encodeFunctionData, parseAbi } from "viem";
import { fromHex, toHash } from "../../primitives/bytes.ts";
import { contractSource, reasonOf, Sandbox } from "../vm/contract/sandbox.ts";

const RUN = fromHex(encodeFunctionData({ abi: parseAbi(["function run()"]) }));
const PEEK = fromHex(encodeFunctionData({ abi: parseAbi(["function peek()"]) }));

/** A contract that runs `body`, and whose `peek` returns `peek`. */
function world(declarations: string, body: string, peek = "0n") {
  const sandbox = new Sandbox();
  const at = sandbox.deploy(
    contractSource(
      `functions: { run: external("() returns (uint256)", () => { ${body} }),
                    peek: external("() returns (uint256)", () => ${peek}) }`,
      declarations,
    ),
  );
  const result = sandbox.send(at, RUN);
  return { sandbox, at, result, word: (slot: bigint) => sandbox.journal.storage(at, toHash(slot)) };
}

describe("storage in contracts: places", () => {
  it("begins at the slot that is given", () => {
    const slot = 0x360894a13ba1a3210667c828492db98dca3e2076cc3735a920a3ca505d382bbcn;
    const { result, word } = world(
      `const proxy = storage({ implementation: "address" }, ${slot}n); const own = storage({ x: "uint256" });`,
      'proxy.implementation = "0x1200000000000000000000000000000000000034"; own.x = 5n; return own.x;',
    );
    equal(result.outcome, "success");
    deepEqual([word(slot), word(0n)], [0x1200000000000000000000000000000000000034n, 5n]);
  });

  it("is not declared twice at one place", () => {
    const deploy = (second: string) =>
      reasonOf(new Sandbox().tryDeploy(contractSource("", `storage({ x: "bool" }); ${second};`)).output);
    const twice = "TypeError: storage is declared twice in one namespace";
    deepEqual(
      [
        deploy('storage({ y: "bool" })'),
        deploy('storage({ y: "bool" }, 0n)'),
        deploy('storage({ y: "bool" }, -1n)'),
      ],
      [twice, twice, "TypeError: not a slot: 0x-1"],
    );
  });
});

describe("storage in contracts: delete", () => {
  const declarations = `const s = storage({
    prices: mapping("uint256", "uint128"),
    people: mapping("address", struct({ age: "uint8", name: "string", marks: array("uint256"), seen: mapping("uint256", "bool") })),
    list: array("uint64"),
  });`;

  it("zeroes values, structs with all they contain, and elements, but not mappings inside", () => {
    const { result } = world(
      declarations,
      `s.prices.set(7n, 5n);
       const person = s.people.get(ZERO);
       person.age = 40n; person.name = "x".repeat(70); person.marks.push(1n); person.marks.push(2n); person.seen.set(3n, true);
       s.list.push(8n); s.list.push(9n);
       s.prices.delete(7n); s.people.delete(ZERO); s.list.delete(0n);
       return s.prices.get(7n) + person.age + BigInt(person.name.length) + person.marks.length
         + (person.seen.get(3n) ? 1000n : 0n) + s.list.get(0n) + s.list.get(1n) * 10_000n + s.list.length * 1_000_000n;`,
    );
    equal(reasonOf(result.output), `0x${2_091_000n.toString(16).padStart(64, "0")}`);
  });

  it("refuses an index out of bounds and a change in a view", () => {
    equal(reasonOf(world(declarations, "s.list.delete(0n); return 0n;").result.output), "panic 0x32");
    const sandbox = new Sandbox();
    const at = sandbox.deploy(
      contractSource('functions: { run: view("()", () => { s.prices.delete(1n); }) }', declarations),
    );
    equal(sandbox.send(at, RUN).outcome, "static state change");
  });
});

describe("transient storage in contracts", () => {
  const declarations = `const lock = transientStorage({ locked: "bool", count: "uint64", by: mapping("address", "uint256") });
    const s = storage({ x: "uint256" });`;

  it("has every type, lies beside storage, and ends with the transaction", () => {
    const { sandbox, at, result, word } = world(
      declarations,
      `lock.locked = true; lock.count += 3n; lock.by.add(self.address, 4n); s.x = 1n;
       return (lock.locked ? 1n : 0n) + lock.count + lock.by.get(self.address);`,
      "lock.count + lock.by.get(self.address) + (lock.locked ? 1n : 0n)",
    );
    equal(BigInt(result.output), 8n);
    equal(word(0n), 1n);
    equal(BigInt(sandbox.send(at, PEEK).output), 0n);
  });

  it("packs fields and costs what EIP-1153 says", () => {
    const { sandbox, at, result } = world(
      declarations,
      "lock.locked = true; lock.count = 5n; return transient.get(0n);",
    );
    equal(BigInt(result.output), 0x501n);
    const cost = sandbox.send(at, RUN).gasUsed;
    equal(cost < 5_000, true);
  });

  it("checks the range of what is written", () => {
    equal(reasonOf(world(declarations, "lock.count = 1n << 64n; return 0n;").result.output), "panic 0x11");
  });
});
