/** specs/contracts/library.md: timelock, multisig, and contracts that change their code. */
import { deepEqual, equal } from "node:assert/strict";
import {
  encodeAbiParameters,
  encodeFunctionData,
  type Hex,
  keccak256,
  parseAbi,
  parseAbiParameters,
  toFunctionSelector,
} from "viem";
import { type Address, toHash } from "../../primitives/bytes.ts";
import { ALICE, BOB, containerOf, contractSource, ETHER } from "../vm/contract/sandbox.ts";
import { Deployed, LibraryWorld, ZERO } from "./library-world.ts";

const asBob = { from: BOB };
const CAROL: Address = `0x${"ca".repeat(20)}`;
const DAVE: Address = `0x${"da".repeat(20)}`;
const NOTHING: Hex = `0x${"00".repeat(32)}`;
const SALT: Hex = `0x${"5a".repeat(32)}`;
const REENTRANT = toFunctionSelector("function ReentrancyGuardReentrantCall()");
const bits = (value: bigint) => toHash(value);

describe("library: timelock", function () {
  this.timeout(30_000);

  async function governed(executors: readonly Address[] = [BOB]) {
    const world = new LibraryWorld();
    const timelock = await world.create("timelock", [1_000n, [ALICE], executors]);
    const token = await world.create("token", ["T", "T", 0n]);
    token.must({}, "transferOwnership", timelock.address);
    return { world, timelock, token };
  }

  type Operation = readonly [target: Address, value: bigint, data: Hex, predecessor: Hex, salt: Hex];
  const idOf = (operation: Operation) =>
    keccak256(
      encodeAbiParameters(parseAbiParameters("address, uint256, bytes, bytes32, bytes32"), operation),
    );

  it("executes what was scheduled after its delay, once", async () => {
    const { world, timelock, token } = await governed();
    const operation: Operation = [token.address, 0n, token.data("mint", BOB, 5n), NOTHING, SALT];
    const id = idOf(operation);
    equal(timelock.get("hashOperation", ...operation), id);
    deepEqual(timelock.send({}, "schedule", ...operation, 999n).error, [
      "TimelockInsufficientDelay",
      999n,
      1_000n,
    ]);
    timelock.must({}, "schedule", ...operation, 1_000n);
    deepEqual(timelock.send({}, "schedule", ...operation, 1_000n).error, [
      "TimelockUnexpectedOperationState",
      id,
      bits(1n),
    ]);
    world.passSeconds(999);
    deepEqual(timelock.send(asBob, "execute", ...operation).error, [
      "TimelockUnexpectedOperationState",
      id,
      bits(4n),
    ]);
    world.passSeconds(1);
    deepEqual([timelock.get("isOperationReady", id), timelock.get("isOperationDone", id)], [true, false]);
    timelock.must(asBob, "execute", ...operation);
    equal(token.get("balanceOf", BOB), 5n);
    deepEqual(timelock.send(asBob, "execute", ...operation).error, [
      "TimelockUnexpectedOperationState",
      id,
      bits(4n),
    ]);
    equal(timelock.get("isOperationDone", id), true);
  });

  it("is used by those with the roles only, unless anybody may execute", async () => {
    const { world, timelock, token } = await governed();
    const operation: Operation = [token.address, 0n, token.data("mint", BOB, 5n), NOTHING, SALT];
    const refused = (answer: ReturnType<Deployed["send"]>) => answer.error?.slice(0, 2);
    deepEqual(refused(timelock.send(asBob, "schedule", ...operation, 1_000n)), [
      "AccessControlUnauthorizedAccount",
      BOB,
    ]);
    timelock.must({}, "schedule", ...operation, 1_000n);
    world.passSeconds(1_000);
    deepEqual(refused(timelock.send({}, "execute", ...operation)), [
      "AccessControlUnauthorizedAccount",
      ALICE,
    ]);
    deepEqual(refused(timelock.send(asBob, "cancel", idOf(operation))), [
      "AccessControlUnauthorizedAccount",
      BOB,
    ]);
    deepEqual(timelock.send({}, "updateDelay", 0n).error, ["TimelockUnauthorizedCaller", ALICE]);
    deepEqual(refused(timelock.send({}, "grantRole", timelock.get("EXECUTOR_ROLE"), ALICE)), [
      "AccessControlUnauthorizedAccount",
      ALICE,
    ]);
    timelock.must({}, "cancel", idOf(operation));
    equal(timelock.get("isOperation", idOf(operation)), false);
    const open = await governed([ZERO]);
    const free: Operation = [open.token.address, 0n, open.token.data("mint", BOB, 5n), NOTHING, SALT];
    open.timelock.must({}, "schedule", ...free, 1_000n);
    open.world.passSeconds(1_000);
    open.timelock.must({ from: CAROL }, "execute", ...free);
  });

  it("keeps the order of operations, and may be tried again when a call fails", async () => {
    const { world, timelock, token } = await governed();
    const burn: Operation = [token.address, 0n, token.data("burn", 3n), NOTHING, SALT];
    const after: Operation = [token.address, 0n, token.data("mint", BOB, 5n), idOf(burn), SALT];
    for (const operation of [burn, after]) timelock.must({}, "schedule", ...operation, 1_000n);
    world.passSeconds(1_000);
    deepEqual(timelock.send(asBob, "execute", ...after).error, ["TimelockUnexecutedPredecessor", idOf(burn)]);
    const insufficient = toFunctionSelector("function ERC20InsufficientBalance(address, uint256, uint256)");
    equal(String(timelock.send(asBob, "execute", ...burn).error?.[0]).slice(0, 10), insufficient);
    equal(timelock.get("isOperationReady", idOf(burn)), true);
    const fund: Operation = [token.address, 0n, token.data("mint", timelock.address, 3n), NOTHING, SALT];
    timelock.must({}, "schedule", ...fund, 1_000n);
    world.passSeconds(1_000);
    for (const operation of [fund, burn, after]) timelock.must(asBob, "execute", ...operation);
    equal(token.get("totalSupply"), 5n);
  });

  it("changes its own delay and roles by operations, and sends value", async () => {
    const { world, timelock } = await governed();
    const run = (target: Address, value: bigint, data: Hex) => {
      const operation: Operation = [target, value, data, NOTHING, SALT];
      timelock.must({}, "schedule", ...operation, 1_000n);
      world.passSeconds(1_000);
      return timelock.send({ from: BOB, value }, "execute", ...operation);
    };
    run(timelock.address, 0n, timelock.data("grantRole", timelock.get("PROPOSER_ROLE"), CAROL));
    equal(timelock.get("hasRole", timelock.get("PROPOSER_ROLE"), CAROL), true);
    equal(run(DAVE, 7n, "0x").error, undefined);
    equal(world.journal.balance(DAVE), 7n);
    run(timelock.address, 0n, timelock.data("updateDelay", 5n));
    equal(timelock.get("getMinDelay"), 5n);
    // What it calls cannot use it on the way.
    const data = timelock.data("cancel", SALT);
    const back = world.hostile(`fallback: () => call(msg.sender, "${data}")`);
    deepEqual(run(back, 0n, "0x12345678").error, [REENTRANT]);
  });
});

describe("library: multisig", function () {
  this.timeout(30_000);

  async function treasury(owners = [ALICE, BOB, CAROL], threshold = 2n) {
    const world = new LibraryWorld();
    const at = await world.create("treasury", [owners, threshold]);
    world.send(at.address, new Uint8Array(0), { value: ETHER });
    equal(world.journal.balance(at.address), ETHER);
    return { world, at };
  }

  it("pays when enough owners agree, once", async () => {
    const { world, at } = await treasury();
    deepEqual(at.send({ from: DAVE }, "propose", DAVE, 5n, "0x").error, ["MultisigNotOwner", DAVE]);
    equal(at.must({}, "propose", DAVE, 5n, "0x").value, 0n);
    deepEqual(at.send({}, "execute", 0n).error, ["MultisigNotConfirmed", 0n, 1n, 2n]);
    at.must({}, "confirm", 0n);
    deepEqual(at.send({}, "execute", 0n).error, ["MultisigNotConfirmed", 0n, 1n, 2n]);
    deepEqual(at.send({ from: DAVE }, "confirm", 0n).error, ["MultisigNotOwner", DAVE]);
    at.must(asBob, "confirm", 0n);
    at.must({ from: CAROL }, "execute", 0n);
    equal(world.journal.balance(DAVE), 5n);
    deepEqual(at.send({}, "execute", 0n).error, ["MultisigAlreadyExecuted", 0n]);
    deepEqual(at.send({}, "confirm", 0n).error, ["MultisigAlreadyExecuted", 0n]);
    deepEqual(at.send({}, "confirm", 1n).error, ["MultisigNoSuchProposal", 1n]);
    deepEqual(at.get("proposal", 0n), [DAVE, 5n, "0x", true]);
  });

  it("counts a confirmation until it is revoked or its owner leaves", async () => {
    const { at } = await treasury();
    at.must({}, "propose", DAVE, 5n, "0x");
    at.must(asBob, "confirm", 0n);
    at.must(asBob, "revoke", 0n);
    deepEqual(at.send({}, "execute", 0n).error, ["MultisigNotConfirmed", 0n, 1n, 2n]);
    at.must(asBob, "confirm", 0n);
    at.must(asBob, "propose", at.address, 0n, at.data("changeOwners", [ALICE, CAROL, DAVE], 2n));
    at.must({ from: CAROL }, "confirm", 1n);
    at.must(asBob, "execute", 1n);
    deepEqual([at.get("owners"), at.get("confirmations", 0n)], [[ALICE, CAROL, DAVE], 1n]);
    deepEqual(at.send(asBob, "confirm", 0n).error, ["MultisigNotOwner", BOB]);
    deepEqual(at.send({}, "execute", 0n).error, ["MultisigNotConfirmed", 0n, 1n, 2n]);
  });

  it("changes its owners by their own decision only, to owners that make sense", async () => {
    const { at } = await treasury([ALICE], 1n);
    deepEqual(at.send({}, "changeOwners", [BOB], 1n).error, ["MultisigUnauthorizedCaller", ALICE]);
    for (const [owners, threshold, error] of [
      [[BOB, BOB], 1n, ["MultisigInvalidOwner", BOB]],
      [[ZERO], 1n, ["MultisigInvalidOwner", ZERO]],
      [[at.address], 1n, ["MultisigInvalidOwner", at.address]],
      [[BOB], 2n, ["MultisigInvalidThreshold", 2n, 1n]],
      [[BOB], 0n, ["MultisigInvalidThreshold", 0n, 1n]],
      [[], 0n, ["MultisigInvalidThreshold", 0n, 0n]],
    ] as const) {
      const { value: id } = at.must(
        {},
        "propose",
        at.address,
        0n,
        at.data("changeOwners", owners, threshold),
      );
      deepEqual(at.send({}, "execute", id).error, error);
    }
    deepEqual(at.get("owners"), [ALICE]);
  });

  it("undoes an execution whose call fails, and lets nobody come back during one", async () => {
    const { world, at } = await treasury([ALICE], 1n);
    at.must({}, "propose", DAVE, 2n * ETHER, "0x");
    deepEqual(at.send({}, "execute", 0n).error, ["0x"]);
    deepEqual(at.get("proposal", 0n), [DAVE, 2n * ETHER, "0x", false]);
    const again = world.hostile(
      "fallback: { payable: true, handler: () => Treasury(msg.sender).execute(1n) }",
      'const Treasury = iface({ execute: "(uint256 id) returns (bytes)" });',
    );
    at.must({}, "propose", again, 5n, "0x01");
    deepEqual(at.send({}, "execute", 1n).error, [REENTRANT]);
    equal(world.journal.balance(again), 0n);
  });
});

describe("library: upgradeable by code hash", function () {
  this.timeout(30_000);

  it("takes over the code its owner named by hash, and nobody else's", async () => {
    const world = new LibraryWorld();
    const counter = await world.create("counter");
    counter.must({}, "increment");
    const source = contractSource(
      `upgradeable: true, functions: {
         count: view("() returns (uint256)", () => s.count * 100n),
         migrate: external("()", () => { require(msg.sender === self.address); s.count += 1n; }, { reentrant: true }),
       }`,
      'const s = storage({ count: "uint256" });',
    );
    const template = world.send(undefined, containerOf(source, true)).address as Address;
    const hash = world.journal.codeHash(template);
    deepEqual(counter.send(asBob, "upgradeTo", template, hash).error, ["OwnableUnauthorizedAccount", BOB]);
    deepEqual(counter.send({}, "upgradeTo", counter.address, hash).error, [
      "UpgradeUnexpectedCode",
      hash,
      world.journal.codeHash(counter.address),
    ]);
    deepEqual(
      counter.must({}, "upgradeToAndCall", template, hash, toFunctionSelector("function migrate()")).events,
      [["CodeUpgraded", { codeHash: hash, template }]],
    );
    equal(counter.get("count"), 200n);
    equal(world.journal.codeHash(counter.address), hash);
  });

  it("stays what it was when its migration fails", async () => {
    const world = new LibraryWorld();
    const counter = await world.create("counter");
    const template = (await world.create("counter")).address;
    const hash = world.journal.codeHash(counter.address);
    // The new code's increment may not be entered while the counter runs.
    deepEqual(counter.send({}, "upgradeToAndCall", template, hash, counter.data("increment")).error, [
      REENTRANT,
    ]);
    equal(counter.get("count"), 0n);
  });
});

describe("library: ERC-1967 proxy", function () {
  this.timeout(30_000);
  const SLOT = 0x360894a13ba1a3210667c828492db98dca3e2076cc3735a920a3ca505d382bbcn;

  async function proxied() {
    const world = new LibraryWorld();
    const implementation = await world.create("proxied-counter");
    const proxy = await world.create("proxy", [
      implementation.address,
      implementation.data("initialize", ALICE, 3n),
    ]);
    return { world, implementation, proxy, counter: proxy.as(implementation) };
  }

  it("runs the implementation on its own storage", async () => {
    const { world, implementation, counter } = await proxied();
    counter.must({}, "increment");
    deepEqual([counter.get("count"), counter.get("owner"), implementation.get("count")], [3n, ALICE, 0n]);
    equal(world.journal.storage(counter.address, toHash(SLOT)), BigInt(implementation.address));
    deepEqual(world.send(counter.address, new Uint8Array(0)).outcome, "revert");
  });

  it("is initialized once, and the implementation itself never", async () => {
    const { implementation, counter } = await proxied();
    deepEqual(counter.send(asBob, "initialize", BOB, 1n).error, ["InvalidInitialization"]);
    deepEqual(implementation.send(asBob, "initialize", BOB, 1n).error, ["InvalidInitialization"]);
    deepEqual(implementation.send({}, "upgradeToAndCall", counter.address, "0x").error, [
      "UUPSUnauthorizedCallContext",
    ]);
    deepEqual(counter.send({}, "proxiableUUID").error, ["UUPSUnauthorizedCallContext"]);
    equal(implementation.get("proxiableUUID"), toHash(SLOT));
  });

  it("is led to another implementation by its owner, and never to what is none", async () => {
    const { world, implementation, counter } = await proxied();
    counter.must({}, "increment");
    const next = await world.create("proxied-counter");
    deepEqual(counter.send(asBob, "upgradeToAndCall", next.address, "0x").error, [
      "OwnableUnauthorizedAccount",
      BOB,
    ]);
    const token = await world.create("token", ["T", "T", 0n]);
    for (const wrong of [DAVE, token.address, counter.address]) {
      deepEqual(counter.send({}, "upgradeToAndCall", wrong, "0x").error, [
        "ERC1967InvalidImplementation",
        wrong,
      ]);
    }
    const liar = world.hostile(`functions: { proxiableUUID: view("() returns (bytes32)", () => "${SALT}") }`);
    deepEqual(counter.send({}, "upgradeToAndCall", liar, "0x").error, ["UUPSUnsupportedProxiableUUID", SALT]);
    deepEqual(counter.must({}, "upgradeToAndCall", next.address, next.data("increment")).events, [
      ["Upgraded", { implementation: next.address }],
    ]);
    equal(counter.get("count"), 6n);
    deepEqual(
      counter.send({}, "upgradeToAndCall", implementation.address, next.data("initialize", BOB, 9n)).error,
      ["InvalidInitialization"],
    );
    equal(world.journal.storage(counter.address, toHash(SLOT)), BigInt(next.address));
  });

  it("denies re-entry as the implementation itself would", async () => {
    const world = new LibraryWorld();
    const bank = world.hostile(
      `functions: {
         pay: external("(address to)", (to) => { call(to, "0x"); s.paid += 1n; }),
         paid: view("() returns (uint256)", () => s.paid),
       }`,
      'const s = storage({ paid: "uint256" });',
    );
    const proxy = await world.create("proxy", [bank, "0x"]);
    const abi = parseAbi(["function pay(address to)", "function paid() view returns (uint256)"]);
    const through = new Deployed(world, proxy.address, abi);
    const thief = (data: Hex) => world.hostile(`fallback: () => call(msg.sender, "${data}")`);
    const again = encodeFunctionData({ abi, functionName: "pay", args: [DAVE] });
    deepEqual(through.send({}, "pay", thief(again)).error, [REENTRANT]);
    equal(through.send({}, "pay", thief(encodeFunctionData({ abi, functionName: "paid" }))).error, undefined);
    equal(through.get("paid"), 1n);
  });

  it("refuses an implementation without code", async () => {
    const world = new LibraryWorld();
    let message = "";
    try {
      await world.create("proxy", [DAVE, "0x"]);
    } catch (error) {
      message = (error as Error).message;
    }
    equal(message.toLowerCase(), `revert: erc1967invalidimplementation ${DAVE}`);
  });
});
