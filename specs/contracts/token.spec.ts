/** specs/contracts/authoring.md: contracts/examples/token.ts, end to end through transactions. */
import { deepEqual, equal, ok } from "node:assert/strict";
import { fileURLToPath } from "node:url";
import {
  type Abi,
  decodeErrorResult,
  decodeFunctionResult,
  encodeDeployData,
  encodeFunctionData,
  parseEventLogs,
} from "viem";
import { privateKeyToAccount } from "viem/accounts";
import { buildContract } from "../../contracts/build/build-contract.ts";
import { type Address, fromHex, type Hex, toHash, toHex } from "../../primitives/bytes.ts";
import { keccak256Hex } from "../../primitives/hash.ts";
import { executeTransaction, type TransactionResult } from "../../vm/execute-transaction.ts";
import { recoverTransaction } from "../../vm/transaction-signature.ts";
import { blockEnvironment, ETHER, Sandbox } from "../vm/contract/sandbox.ts";

const alice = privateKeyToAccount(`0x${"0a".repeat(32)}`);
const bob = privateKeyToAccount(`0x${"0b".repeat(32)}`);
const SUPPLY = 1_000_000n * ETHER;

describe("the token", function () {
  this.timeout(60_000);
  let abi: Abi;
  let bytecode: Hex;

  before(async () => {
    ({ abi, bytecode } = (await buildContract(
      fileURLToPath(new URL("../../../contracts/examples/token.ts", import.meta.url)),
      { typeCheck: false },
    )) as unknown as { abi: Abi; bytecode: Hex });
  });

  /** A chain of one endless block in which viem's accounts send signed transactions. */
  class World {
    readonly sandbox = new Sandbox();
    readonly #nonces = new Map<string, number>();
    token: Address = "0x";

    constructor() {
      for (const { address } of [alice, bob]) this.sandbox.journal.addBalance(low(address), 100n * ETHER);
    }

    async send(
      from: typeof alice,
      to: Address | undefined,
      data: Hex,
      gas = 5_000_000n,
    ): Promise<TransactionResult> {
      const nonce = this.#nonces.get(from.address) ?? 0;
      this.#nonces.set(from.address, nonce + 1);
      const signed = await from.signTransaction({
        type: "eip1559",
        chainId: Number(blockEnvironment.chainId),
        nonce,
        to: to ?? null,
        data,
        gas,
        maxFeePerGas: 10n,
        maxPriorityFeePerGas: 1n,
      });
      const { journal, machine } = this.sandbox;
      return executeTransaction(
        { block: blockEnvironment, journal, machine },
        recoverTransaction(fromHex(signed)),
        30_000_000n,
      );
    }

    async deploy(): Promise<TransactionResult> {
      const data = encodeDeployData({ abi, bytecode, args: ["Jurat", "JUR", SUPPLY] });
      const result = await this.send(alice, undefined, data);
      this.token = result.contractAddress ?? "0x";
      return result;
    }

    call(from: typeof alice, functionName: string, ...args: unknown[]): Promise<TransactionResult> {
      return this.send(from, this.token, encodeFunctionData({ abi, functionName, args }));
    }

    read(functionName: string, ...args: unknown[]): unknown {
      const { output } = this.sandbox.send(
        this.token,
        fromHex(encodeFunctionData({ abi, functionName, args })),
      );
      return decodeFunctionResult({ abi, functionName, data: output });
    }
  }

  const low = (address: string) => address.toLowerCase() as Address;
  const errorOf = ({ output }: TransactionResult) => {
    const { errorName, args } = decodeErrorResult({ abi, data: toHex(output) });
    return [errorName, ...(args ?? [])];
  };
  const eventsOf = ({ logs }: TransactionResult) =>
    parseEventLogs({
      abi,
      logs: logs.map(({ address, topics, data }) => ({ address, topics, data: toHex(data) })) as never,
    }).map(({ eventName, args }) => [eventName, args]);

  it("is deployed with viem's data, and gives the deployer the supply", async () => {
    const world = new World();
    const result = await world.deploy();
    equal(result.outcome, "success");
    deepEqual(eventsOf(result).at(-1), [
      "Transfer",
      { from: `0x${"00".repeat(20)}`, to: alice.address, value: SUPPLY },
    ]);
    deepEqual(
      ["name", "symbol", "decimals", "totalSupply", "owner"].map((name) => world.read(name)),
      ["Jurat", "JUR", 18, SUPPLY, alice.address],
    );
    equal(world.read("balanceOf", alice.address), SUPPLY);
  });

  it("keeps its state where Solidity would", async () => {
    const world = new World();
    await world.deploy();
    const slot = (number: bigint) => world.sandbox.journal.storage(world.token, toHash(number));
    // OpenZeppelin's namespaces, as its contracts of version 5 state them.
    const erc20 = 0x52c63247e1f47db19d5ce0460030c497f067ca4cebf71ba98eeadabe20bace00n;
    equal(slot(erc20 + 2n), SUPPLY);
    equal(slot(0x9016d09d72d40fdae2fd8ceac6b6234c7706214fd39c1cd1e609a0528c199300n), BigInt(alice.address));
    const key = fromHex(`0x${alice.address.slice(2).padStart(64, "0")}${erc20.toString(16)}`);
    equal(slot(BigInt(keccak256Hex(key))), SUPPLY);
  });

  it("transfers, and costs at most a tenth more gas than Solidity's", async () => {
    const world = new World();
    await world.deploy();
    const fresh = await world.call(alice, "transfer", bob.address, 5n * ETHER);
    deepEqual([fresh.outcome, BigInt(toHex(fresh.output))], ["success", 1n]);
    deepEqual(eventsOf(fresh), [["Transfer", { from: alice.address, to: bob.address, value: 5n * ETHER }]]);
    ok(fresh.gasUsed <= 56_100, `a new slot: ${fresh.gasUsed}`);
    const again = await world.call(alice, "transfer", bob.address, 5n * ETHER);
    ok(again.gasUsed <= 38_500, `an existing slot: ${again.gasUsed}`);
    equal(world.read("balanceOf", bob.address), 10n * ETHER);
  });

  it("refuses transfers with ERC-6093's errors", async () => {
    const world = new World();
    await world.deploy();
    const zero = `0x${"00".repeat(20)}`;
    deepEqual(errorOf(await world.call(bob, "transfer", alice.address, 1n)), [
      "ERC20InsufficientBalance",
      bob.address,
      0n,
      1n,
    ]);
    deepEqual(errorOf(await world.call(alice, "transfer", zero, 1n)), ["ERC20InvalidReceiver", zero]);
    deepEqual(errorOf(await world.call(alice, "approve", zero, 1n)), ["ERC20InvalidSpender", zero]);
    deepEqual(errorOf(await world.call(bob, "transferFrom", alice.address, bob.address, 1n)), [
      "ERC20InsufficientAllowance",
      bob.address,
      0n,
      1n,
    ]);
  });

  it("lets a spender spend what was approved", async () => {
    const world = new World();
    await world.deploy();
    await world.call(alice, "approve", bob.address, 10n);
    equal((await world.call(bob, "transferFrom", alice.address, bob.address, 4n)).outcome, "success");
    equal(world.read("allowance", alice.address, bob.address), 6n);
    await world.call(alice, "approve", bob.address, 2n ** 256n - 1n);
    await world.call(bob, "transferFrom", alice.address, bob.address, 4n);
    equal(world.read("allowance", alice.address, bob.address), 2n ** 256n - 1n);
  });

  it("lets its owner mint, holders burn, and nobody overflow", async () => {
    const world = new World();
    await world.deploy();
    deepEqual(errorOf(await world.call(bob, "mint", bob.address, 1n)), [
      "OwnableUnauthorizedAccount",
      bob.address,
    ]);
    await world.call(alice, "mint", bob.address, 7n);
    await world.call(bob, "burn", 3n);
    deepEqual([world.read("balanceOf", bob.address), world.read("totalSupply")], [4n, SUPPLY + 4n]);
    deepEqual(errorOf(await world.call(alice, "mint", bob.address, 2n ** 256n - 1n)), ["Panic", 0x11n]);
    await world.call(alice, "transferOwnership", bob.address);
    equal((await world.call(bob, "mint", bob.address, 1n)).outcome, "success");
  });

  it("takes a permit that the owner signed, once and in time", async () => {
    const world = new World();
    await world.deploy();
    const permit = {
      owner: alice.address,
      spender: bob.address,
      value: 9n,
      nonce: 0n,
      deadline: 1_700_000_001n,
    };
    const signature = await alice.signTypedData({
      domain: {
        name: "Jurat",
        version: "1",
        chainId: Number(blockEnvironment.chainId),
        verifyingContract: world.token,
      },
      types: {
        Permit: [
          { name: "owner", type: "address" },
          { name: "spender", type: "address" },
          { name: "value", type: "uint256" },
          { name: "nonce", type: "uint256" },
          { name: "deadline", type: "uint256" },
        ],
      },
      primaryType: "Permit",
      message: permit,
    });
    const [r, s, v] = [
      signature.slice(0, 66),
      `0x${signature.slice(66, 130)}`,
      Number.parseInt(signature.slice(130), 16),
    ];
    const submit = (deadline = permit.deadline) =>
      world.call(bob, "permit", alice.address, bob.address, 9n, deadline, v, r, s);
    deepEqual(errorOf(await submit(1_699_999_999n)), ["ERC2612ExpiredSignature", 1_699_999_999n]);
    equal((await submit()).outcome, "success");
    equal(world.read("allowance", alice.address, bob.address), 9n);
    equal(errorOf(await submit())[0], "ERC2612InvalidSigner");
  });
});
