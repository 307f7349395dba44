/** specs/contracts/system.md */
import { deepEqual, equal, notEqual } from "node:assert/strict";
import {
  decodeFunctionResult,
  encodeDeployData,
  encodeFunctionData,
  getCreate2Address,
  multicall3Abi,
  parseAbi,
  parseEther,
  parseEventLogs,
} from "viem";
import {
  CREATE2_DEPLOYER_ADDRESS,
  MULTICALL3_ADDRESS,
  readSystemAllocation,
} from "../../contracts/build/system-image.ts";
import { type Address, concatBytes, fromHex, type Hex, toHash, toHex } from "../../primitives/bytes.ts";
import { sha256 } from "../../primitives/hash.ts";
import {
  BEACON_ROOTS_ADDRESS,
  BLOCK_HASHES_ADDRESS,
  DEPOSIT_CONTRACT_ADDRESS,
  EXIT_CONTRACT_ADDRESS,
  SYSTEM_ADDRESS,
} from "../../vm/chain-config.ts";
import {
  blockEnvironment,
  containerOf,
  contractSource,
  encodeArgs,
  reasonOf,
  Sandbox,
} from "../vm/contract/sandbox.ts";

/** A world that begins with the genesis allocation. */
function world(): Sandbox {
  const sandbox = new Sandbox();
  for (const [address, { code }] of Object.entries(readSystemAllocation())) {
    sandbox.journal.setCode(address as Address, fromHex(code));
    sandbox.journal.setNonce(address as Address, 1n);
  }
  return sandbox;
}

const ROOT = fromHex(`0x${"4b".repeat(32)}`);
const word = (value: number) => fromHex(toHash(BigInt(value)));

describe("system contracts: beacon roots", () => {
  it("give the root for a timestamp, as EIP-4788 does", () => {
    const sandbox = world();
    const { timestamp } = blockEnvironment;
    equal(sandbox.send(BEACON_ROOTS_ADDRESS, ROOT, { from: SYSTEM_ADDRESS }).outcome, "success");
    deepEqual(sandbox.send(BEACON_ROOTS_ADDRESS, word(timestamp)).output, toHex(ROOT));
    const slot = (index: number) => sandbox.journal.storage(BEACON_ROOTS_ADDRESS, toHash(BigInt(index)));
    equal(slot(timestamp % 8191), BigInt(timestamp));
    equal(slot((timestamp % 8191) + 8191), BigInt(toHex(ROOT)));
  });

  it("refuse a timestamp without a root, zero, and anything but 32 bytes", () => {
    const sandbox = world();
    sandbox.send(BEACON_ROOTS_ADDRESS, ROOT, { from: SYSTEM_ADDRESS });
    for (const data of [word(1), word(0), word(blockEnvironment.timestamp + 8191), ROOT.subarray(1), ROOT]) {
      equal(sandbox.send(BEACON_ROOTS_ADDRESS, data).outcome, "revert");
    }
  });
});

describe("system contracts: block hashes", () => {
  it("give the hash for a number in the window, as EIP-2935 does", () => {
    const sandbox = world();
    sandbox.send(BLOCK_HASHES_ADDRESS, ROOT, { from: SYSTEM_ADDRESS });
    equal(sandbox.send(BLOCK_HASHES_ADDRESS, word(499)).output, toHex(ROOT));
    equal(sandbox.journal.storage(BLOCK_HASHES_ADDRESS, toHash(499n)), BigInt(toHex(ROOT)));
    for (const data of [word(500), word(501), word(9_000), ROOT, new Uint8Array(31)]) {
      equal(sandbox.send(BLOCK_HASHES_ADDRESS, data).outcome, "revert");
    }
  });
});

const depositAbi = parseAbi([
  "function deposit(bytes pubkey, bytes withdrawal_credentials, bytes signature, bytes32 deposit_data_root) payable",
  "function get_deposit_root() view returns (bytes32)",
  "function get_deposit_count() view returns (bytes)",
  "event DepositEvent(bytes pubkey, bytes withdrawal_credentials, bytes amount, bytes signature, bytes index)",
]);
const PUBKEY: Hex = `0x${"a7".repeat(48)}`;
const CREDENTIALS: Hex = `0x${"01".padEnd(64, "0")}`;
const SIGNATURE: Hex = `0x${"c3".repeat(96)}`;

const hashPair = (left: Uint8Array, right: Uint8Array) => sha256(concatBytes(left, right));
const zeros = (size: number) => new Uint8Array(size);

/** hash_tree_root(DepositData), computed on its own. */
function dataRoot(amount: Uint8Array): Uint8Array {
  const signature = fromHex(SIGNATURE);
  const pubkeyRoot = hashPair(fromHex(PUBKEY), zeros(16));
  const signatureRoot = hashPair(
    hashPair(signature.subarray(0, 32), signature.subarray(32, 64)),
    hashPair(signature.subarray(64), zeros(32)),
  );
  return hashPair(
    hashPair(pubkeyRoot, fromHex(CREDENTIALS)),
    hashPair(concatBytes(amount, zeros(24)), signatureRoot),
  );
}

/** The root of an SSZ list of these leaves with limit 2^32. */
function listRoot(leaves: readonly Uint8Array[]): Uint8Array {
  let level = [...leaves];
  let empty: Uint8Array = zeros(32);
  for (let height = 0; height < 32; height++) {
    const next: Uint8Array[] = [];
    for (let i = 0; i < level.length; i += 2) next.push(hashPair(level[i]!, level[i + 1] ?? empty));
    empty = hashPair(empty, empty);
    level = next.length === 0 ? [empty] : next;
  }
  const length = zeros(32);
  length[0] = leaves.length;
  return hashPair(level[0]!, length);
}

function littleEndian(gwei: bigint): Uint8Array {
  const bytes = zeros(8);
  new DataView(bytes.buffer).setBigUint64(0, gwei, true);
  return bytes;
}

describe("system contracts: deposits", () => {
  const deposit = (
    sandbox: Sandbox,
    value: bigint,
    root = toHex(dataRoot(littleEndian(value / 10n ** 9n))),
  ) =>
    sandbox.send(
      DEPOSIT_CONTRACT_ADDRESS,
      fromHex(
        encodeFunctionData({
          abi: depositAbi,
          functionName: "deposit",
          args: [PUBKEY, CREDENTIALS, SIGNATURE, root],
        }),
      ),
      { value },
    );
  const read = (sandbox: Sandbox, functionName: "get_deposit_root" | "get_deposit_count") =>
    decodeFunctionResult({
      abi: depositAbi,
      functionName,
      data: sandbox.send(
        DEPOSIT_CONTRACT_ADDRESS,
        fromHex(encodeFunctionData({ abi: depositAbi, functionName })),
      ).output,
    });

  it("build the SSZ tree and leave Ethereum's event", () => {
    const sandbox = world();
    equal(read(sandbox, "get_deposit_root"), toHex(listRoot([])));
    const leaves: Uint8Array[] = [];
    for (let count = 1; count <= 5; count++) {
      const value = parseEther(String(count));
      equal(deposit(sandbox, value).outcome, "success");
      const logs = sandbox.journal
        .logs()
        .map(({ address, topics, data }) => ({ address, topics, data: toHex(data) }));
      const amount = littleEndian(value / 10n ** 9n);
      deepEqual(
        parseEventLogs({ abi: depositAbi, logs: logs as never }).map(({ args }) => args),
        [
          {
            pubkey: PUBKEY,
            withdrawal_credentials: CREDENTIALS,
            amount: toHex(amount),
            signature: SIGNATURE,
            index: toHex(littleEndian(BigInt(count - 1))),
          },
        ],
      );
      leaves.push(dataRoot(amount));
      equal(read(sandbox, "get_deposit_root"), toHex(listRoot(leaves)));
    }
    equal(read(sandbox, "get_deposit_count"), toHex(littleEndian(5n)));
    equal(sandbox.journal.balance(DEPOSIT_CONTRACT_ADDRESS), parseEther("15"));
  });

  it("refuse what Ethereum's refuses, in the same words", () => {
    const sandbox = world();
    const reason = (result: ReturnType<typeof deposit>) => reasonOf(result.output);
    equal(reason(deposit(sandbox, parseEther("0.5"))), "DepositContract: deposit value too low");
    equal(
      reason(deposit(sandbox, parseEther("1") + 1n)),
      "DepositContract: deposit value not multiple of gwei",
    );
    equal(
      reason(deposit(sandbox, parseEther("1"), `0x${"00".repeat(32)}`)),
      "DepositContract: reconstructed DepositData does not match supplied deposit_data_root",
    );
  });
});

describe("system contracts: withdrawal requests", () => {
  const account = (digit: number): Address => `0x${String(digit).repeat(40)}`;
  const request = (digit: number, amount: bigint) =>
    fromHex(`0x${String(digit).repeat(96)}${amount.toString(16).padStart(16, "0")}`);
  const ask = (sandbox: Sandbox, digit: number, value: bigint) => {
    sandbox.journal.addBalance(account(digit), value);
    return sandbox.send(EXIT_CONTRACT_ADDRESS, request(digit, BigInt(digit)), {
      from: account(digit),
      value,
    });
  };
  const feeOf = (sandbox: Sandbox) => BigInt(sandbox.send(EXIT_CONTRACT_ADDRESS, new Uint8Array(0)).output);
  const take = (sandbox: Sandbox) =>
    sandbox.send(EXIT_CONTRACT_ADDRESS, new Uint8Array(0), { from: SYSTEM_ADDRESS });

  it("come out in order, with their sender, in the bytes of the request list", () => {
    const sandbox = world();
    equal(take(sandbox).output, "0x");
    for (const digit of [1, 2]) equal(ask(sandbox, digit, 1n).outcome, "success");
    const { outcome, output } = take(sandbox);
    equal(outcome, "success");
    const entry = (digit: number) =>
      `${String(digit).repeat(40)}${String(digit).repeat(96)}0${digit}${"00".repeat(7)}`;
    equal(output, `0x${entry(1)}${entry(2)}`);
    equal(take(sandbox).output, "0x");
  });

  it("come out 16 a block; the fee grows as EIP-7002 says, and falls again", () => {
    const sandbox = world();
    for (let i = 0; i < 40; i++) equal(ask(sandbox, 3, feeOf(sandbox)).outcome, "success");
    const sizes = [1, 2, 3, 4].map(() => (take(sandbox).output.length - 2) / 152);
    deepEqual(sizes, [16, 16, 8, 0]);
    // fake_exponential(1, 38 − 3 · 2, 17)
    equal(feeOf(sandbox), 6n);
    equal(reasonOf(ask(sandbox, 3, 5n).output), "the fee is higher");
    for (let block = 0; block < 16; block++) take(sandbox);
    equal(feeOf(sandbox), 1n);
  });

  it("are 56 bytes", () => {
    const sandbox = world();
    for (const size of [1, 55, 57, 96]) {
      const result = sandbox.send(EXIT_CONTRACT_ADDRESS, new Uint8Array(size), { value: 1n });
      equal(reasonOf(result.output), "expected a key and an amount");
    }
    equal(
      reasonOf(sandbox.send(EXIT_CONTRACT_ADDRESS, new Uint8Array(0), { value: 1n }).output),
      "asking costs nothing",
    );
  });
});

describe("system contracts: Multicall3 and the CREATE2 deployer", () => {
  it("batch calls, and tell which of them failed", () => {
    const sandbox = world();
    const data = encodeFunctionData({
      abi: multicall3Abi,
      functionName: "aggregate3",
      args: [
        [
          {
            target: DEPOSIT_CONTRACT_ADDRESS,
            allowFailure: true,
            callData: encodeFunctionData({ abi: depositAbi, functionName: "get_deposit_count" }),
          },
          { target: BEACON_ROOTS_ADDRESS, allowFailure: true, callData: "0x" },
        ],
      ],
    });
    const { output } = sandbox.send(MULTICALL3_ADDRESS, fromHex(data));
    const results = decodeFunctionResult({ abi: multicall3Abi, functionName: "aggregate3", data: output });
    deepEqual(
      results.map(({ success }) => success),
      [true, false],
    );
    equal(results[0]?.returnData, toHex(encodeArgs("bytes", `0x${"00".repeat(8)}`)));
  });

  it("deploy at the address viem computes", () => {
    const sandbox = world();
    const source = contractSource(
      'init: init("uint256 x", () => {}), functions: { run: view("() returns (uint256)", () => 5n) }',
    );
    const bytecode = encodeDeployData({
      abi: parseAbi(["constructor(uint256 x)"]),
      bytecode: toHex(containerOf(source)),
      args: [1n],
    });
    const salt: Hex = `0x${"51".repeat(32)}`;
    const { outcome, output } = sandbox.send(
      CREATE2_DEPLOYER_ADDRESS,
      concatBytes(fromHex(salt), fromHex(bytecode)),
    );
    equal(outcome, "success");
    equal(output, getCreate2Address({ from: CREATE2_DEPLOYER_ADDRESS, salt, bytecode }).toLowerCase());
    notEqual(sandbox.journal.code(output).length, 0);
  });
});
