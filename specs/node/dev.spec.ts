import { deepEqual, equal, match, ok, rejects } from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { Contract, JsonRpcProvider } from "ethers";
import {
  ContractFunctionExecutionError,
  createPublicClient,
  createTestClient,
  createWalletClient,
  encodeFunctionData,
  getContract,
  type Hex,
  http,
  keccak256,
  pad,
  parseEther,
  publicActions,
  testActions,
  toHex,
  walletActions,
} from "viem";
import { privateKeyToAccount } from "viem/accounts";
import { anvil } from "viem/chains";
import { buildContract } from "../../contracts/build/build-contract.ts";
import type { DevConfig } from "../../node/dev/dev-config.ts";
import { DevDirectoryError } from "../../node/dev/dev-genesis.ts";
import { type DevNode, startDevNode } from "../../node/dev/dev-node.ts";
import { deriveDevAccounts } from "../../primitives/dev-accounts.ts";
import type { DevelopmentChain } from "../../rpc/development-chain.ts";
import { developmentMethods } from "../../rpc/development-methods.ts";
import { METHODS } from "../../rpc/method-table.ts";
import { SourceMaps } from "../../rpc/source-maps.ts";
import { withScratchDirectory } from "../support/scratch-directory.ts";
import { PROJECT_ROOT } from "../support/vectors.ts";

const CONFIG: DevConfig = {
  rpcHost: "127.0.0.1",
  rpcPort: 0,
  chainId: anvil.id,
  dir: undefined,
  explorer: false,
  blockTime: undefined,
};
const [alice, bob] = deriveDevAccounts().map(({ privateKey }) => privateKeyToAccount(privateKey)) as [
  ReturnType<typeof privateKeyToAccount>,
  ReturnType<typeof privateKeyToAccount>,
];
const STRANGER = "0x5742a0e5000000000000000000000000000000aa";

const talkerAbi = [
  { type: "function", name: "value", stateMutability: "view", inputs: [], outputs: [{ type: "uint256" }] },
  { type: "function", name: "time", stateMutability: "view", inputs: [], outputs: [{ type: "uint256" }] },
  {
    type: "function",
    name: "set",
    stateMutability: "nonpayable",
    inputs: [{ type: "uint256", name: "value" }],
    outputs: [],
  },
  { type: "function", name: "fail", stateMutability: "nonpayable", inputs: [], outputs: [] },
] as const;

function clientsOf(url: string, mode: "anvil" | "hardhat") {
  return createTestClient({
    mode,
    chain: anvil,
    transport: http(url, { retryCount: 0 }),
    pollingInterval: 10,
    cacheTime: 0,
  })
    .extend(publicActions)
    .extend(walletActions);
}
type Client = ReturnType<typeof clientsOf>;

describe("jurat dev", function () {
  this.timeout(60_000);
  let node: DevNode;
  let bytecode: Hex;
  let sourceMap: string;
  let printed: string[] = [];
  let client: Client;

  before(async () => {
    ({ bytecode, sourceMap } = await buildContract(join(PROJECT_ROOT, "specs/contracts/fixtures/talker.ts"), {
      typeCheck: false,
    }));
    node = await startDevNode(CONFIG, (text) => void printed.push(text));
  });
  after(() => node.close());
  beforeEach(() => {
    client = clientsOf(node.url, "anvil");
  });
  afterEach(async () => {
    await client.reset();
    printed = [];
  });

  const send = (value: bigint, to: Hex = STRANGER) => client.sendTransaction({ account: alice, to, value });
  async function deployTalker() {
    const hash = await client.deployContract({ abi: talkerAbi, bytecode, account: alice });
    const { contractAddress } = await client.getTransactionReceipt({ hash });
    return getContract({
      abi: talkerAbi,
      address: contractAddress!,
      client: { public: client, wallet: client },
    });
  }

  it("has ten funded accounts, and mines a transaction before it answers", async () => {
    deepEqual(
      (await client.getAddresses()).map((address) => address.toLowerCase()),
      deriveDevAccounts().map(({ address }) => address),
    );
    equal(await client.getBalance({ address: bob.address }), parseEther("10000"));
    const receipt = await client.getTransactionReceipt({ hash: await send(5n) });
    deepEqual([receipt.status, receipt.blockNumber], ["success", 1n]);
    equal(await client.getBalance({ address: STRANGER, blockTag: "finalized" }), 5n);
    equal((await client.getBlock({ blockTag: "safe" })).number, 1n);
  });

  it("sends for its own accounts and fills in what is left out", async () => {
    const wallet = createWalletClient({ chain: anvil, transport: http(node.url) });
    const hash = await wallet.sendTransaction({ account: bob.address, to: STRANGER, value: 7n });
    equal((await client.getTransaction({ hash })).from, bob.address.toLowerCase());
    await rejects(wallet.sendTransaction({ account: STRANGER, to: bob.address }), /unknown account/);
  });

  it("prints what contracts say: of a transaction and of a call, but not of an estimate", async () => {
    const talker = await deployTalker();
    printed = [];
    await client.estimateContractGas({ ...talker, functionName: "set", args: [3n], account: alice });
    deepEqual(printed, []);
    await talker.simulate.set([3n], { account: bob });
    const place = /^console\.log 0x[0-9a-f]{8}\.js:\d+:\d+ {2}set 3 by (0x\w+)\n$/;
    equal(place.exec(printed[0] ?? "")?.[1], bob.address.toLowerCase());
    equal(printed.length, 1);
    await talker.write.set([3n], { account: alice, gas: 200_000n });
    match(
      printed[1]!,
      /^block 2 {2}0x[0-9a-f]{8}… {2}1 tx\n {2}tx 0x.* ok\n {4}console\.log 0x\S+ {2}set 3 by 0xf39f.*\n$/,
    );
    equal(printed.length, 2);
  });

  for (const mode of ["anvil", "hardhat"] as const) {
    describe(`with viem's test client as ${mode}`, () => {
      beforeEach(() => {
        client = clientsOf(node.url, mode);
      });

      it("mines blocks, so many seconds apart", async () => {
        const { timestamp } = await client.getBlock();
        await client.mine({ blocks: 3, interval: 60 });
        const times = await Promise.all(
          [1n, 2n, 3n].map(async (blockNumber) => (await client.getBlock({ blockNumber })).timestamp),
        );
        ok(times[0]! > timestamp);
        deepEqual([times[1]! - times[0]!, times[2]! - times[1]!], [60n, 60n]);
      });

      it("sets balance, nonce, code and storage, with proofs that hold", async () => {
        const { address } = await deployTalker();
        await client.setBalance({ address: STRANGER, value: 123n });
        await client.setNonce({ address: STRANGER, nonce: 9 });
        await client.setStorageAt({ address, index: 0, value: pad(toHex(77), { size: 32 }) });
        equal(await client.getBalance({ address: STRANGER }), 123n);
        equal(await client.getTransactionCount({ address: STRANGER }), 9);
        equal(await client.readContract({ abi: talkerAbi, address, functionName: "value" }), 77n);
        const proof = await client.getProof({ address, storageKeys: [pad("0x0", { size: 32 })] });
        equal(proof.storageProof[0]?.value, 77n);
        equal(keccak256(proof.accountProof[0]!), (await client.getBlock()).stateRoot);

        const code = await client.getCode({ address });
        const copy = "0xc0de000000000000000000000000000000000001";
        await client.setCode({ address: copy, bytecode: code! });
        equal(await client.readContract({ abi: talkerAbi, address: copy, functionName: "value" }), 0n);
        await rejects(client.setNonce({ address: copy, nonce: 0 }), /a contract's nonce is at least 1/);
      });

      it("goes back to a snapshot once, with state, time and what waited", async () => {
        await send(1n);
        const id = await client.snapshot();
        const { timestamp } = await client.getBlock();
        await client.setAutomine(false);
        await client.increaseTime({ seconds: 100_000 });
        await send(2n);
        await client.mine({ blocks: 2 });
        equal(await client.getBalance({ address: STRANGER }), 3n);
        await send(4n);
        await client.revert({ id });
        equal(await client.getBlockNumber(), 1n);
        equal(await client.getBalance({ address: STRANGER }), 1n);
        await client.mine({ blocks: 1 });
        const next = await client.getBlock();
        equal(next.transactions.length, 0);
        ok(next.timestamp - timestamp < 100_000n);
        equal(await client.request({ method: "evm_revert", params: [id] }), false);
      });

      it("goes back to genesis", async () => {
        await send(1n);
        await client.reset();
        equal(await client.getBlockNumber(), 0n);
        equal(await client.getTransactionCount({ address: alice.address }), 0);
      });

      it("impersonates accounts, contracts too", async () => {
        const { address } = await deployTalker();
        const from = { account: address, to: STRANGER, value: 1n } as const;
        await rejects(client.sendTransaction(from), /unknown account/);
        await client.impersonateAccount({ address });
        await rejects(client.sendTransaction(from), /insufficient funds/);
        await client.setBalance({ address, value: parseEther("1") });
        const receipt = await client.getTransactionReceipt({ hash: await client.sendTransaction(from) });
        deepEqual([receipt.status, receipt.from], ["success", address]);
        await client.stopImpersonatingAccount({ address });
        await rejects(client.sendTransaction(from), /unknown account/);
      });

      it("mines when told to, once it no longer mines by itself", async () => {
        equal(await client.getAutomine(), true);
        await client.setAutomine(false);
        const hash = await send(1n);
        equal(await client.getTransactionCount({ address: alice.address, blockTag: "pending" }), 1);
        await rejects(client.getTransactionReceipt({ hash }), /could not be found/);
        await client.setAutomine(true);
        equal((await client.getTransactionReceipt({ hash })).blockNumber, 1n);
        await client.setIntervalMining({ interval: 60 });
        equal(await client.getAutomine(), false);
        await client.setIntervalMining({ interval: 0 });
      });
    });
  }

  it("lets time be set, and goes on from there", async () => {
    const talker = await deployTalker();
    const { timestamp } = await client.getBlock();
    await client.setNextBlockTimestamp({ timestamp: timestamp + 5000n });
    await client.setBalance({ address: STRANGER, value: 1n });
    await send(1n);
    equal(await talker.read.time(), timestamp + 5000n);
    await client.increaseTime({ seconds: 10 });
    await client.mine({ blocks: 1 });
    ok((await client.getBlock()).timestamp >= timestamp + 5010n);
    await rejects(client.setNextBlockTimestamp({ timestamp }), /Timestamp error/);
    equal(
      await client.request({ method: "evm_mine" as never, params: [Number(timestamp) + 9000] as never }),
      "0x0",
    );
    equal((await client.getBlock()).timestamp, timestamp + 9000n);
  });

  it("takes transactions that pay no tip, and says why one failed", async () => {
    const talker = await deployTalker();
    await send(0n);
    await client.sendTransaction({ account: alice, to: STRANGER, maxPriorityFeePerGas: 0n });
    await rejects(talker.simulate.fail({ account: alice }), /as asked/);
    const hash = await talker.write.fail({ account: alice, gas: 100_000n });
    equal((await client.getTransactionReceipt({ hash })).status, "reverted");
  });

  it("says where in the author's source a contract spoke or failed, once it knows the artifact", async () => {
    const talker = await deployTalker();
    const artifact = { bytecode, sourceMap, sourceName: "specs/contracts/fixtures/talker.ts" };
    equal(await client.request({ method: "jurat_addArtifact", params: [artifact] } as never), true);
    printed = [];
    await talker.simulate.set([3n], { account: bob });
    match(printed[0]!, /^console\.log specs\/contracts\/fixtures\/talker\.ts:11:7 {2}set 3 by 0x7099/);
    const hash = await talker.write.fail({ account: alice, gas: 100_000n });
    match(printed[1]!, / failed\n {4}at fail \(specs\/contracts\/fixtures\/talker\.ts:15:7\)\n$/);
    const traced = (await client.request({
      method: "debug_traceTransaction",
      params: [hash, { tracer: "jsTracer" }],
    } as never)) as { stack: string[]; lines: { file: string; text: string; gas: number }[] };
    deepEqual(traced.stack, ["at fail (specs/contracts/fixtures/talker.ts:15:7)"]);
    const line = traced.lines.find(({ text }) => text === 'throw new Error("as asked");');
    deepEqual(line?.file, "specs/contracts/fixtures/talker.ts");
    await rejects(
      client.request({ method: "jurat_addArtifact", params: [{ ...artifact, bytecode: "0x00" }] } as never),
      /artifact: /,
    );
  });

  it("answers a failed call with a stack beside the data, where clients look for none", async () => {
    const talker = await deployTalker();
    const data = encodeFunctionData({ abi: talkerAbi, functionName: "fail" });
    for (const method of ["eth_call", "eth_estimateGas"]) {
      const body = { jsonrpc: "2.0", id: 1, method, params: [{ to: talker.address, data }] };
      const headers = { "content-type": "application/json" };
      const answer = await fetch(node.url, { method: "POST", headers, body: JSON.stringify(body) });
      const { error } = (await answer.json()) as { error: Record<string, string> };
      deepEqual(Object.keys(error), ["code", "message", "data", "stack"]);
      match(error["data"]!, /^0x08c379a0/);
      match(error["stack"]!, /^execution reverted: as asked\n {4}at fail \(\S+:\d+:\d+\)$/);
    }
    await rejects(talker.simulate.fail({ account: alice }), (thrown: unknown) => {
      const { stack } = (thrown as ContractFunctionExecutionError).walk() as { stack?: string };
      match(stack ?? "", /^execution reverted: as asked\n {4}at fail /);
      return thrown instanceof ContractFunctionExecutionError;
    });
    const ethers = new Contract(talker.address, ["function fail()"], new JsonRpcProvider(node.url));
    await rejects(ethers.getFunction("fail").staticCall(), { code: "CALL_EXCEPTION", reason: "as asked" });
    (ethers.runner as JsonRpcProvider).destroy();
  });

  it("describes every method that only it answers", () => {
    const prose = readFileSync(join(PROJECT_ROOT, "specs/rpc/development.md"), "utf8");
    const own = developmentMethods({} as DevelopmentChain, new SourceMaps()).map(({ name }) => name);
    const ours = own.filter(
      (name) => !METHODS.some((method) => method.name === name && name !== "eth_accounts"),
    );
    const spelled = ours.map((name) => name.replace(/^(anvil|hardhat)_/, "*_"));
    deepEqual(
      spelled.filter((name) => !prose.includes(`\`${name}\``)),
      [],
    );
  });

  it("refuses a fork of another chain and more blocks than it can mine at once", async () => {
    await rejects(
      client.request({
        method: "anvil_reset",
        params: [{ forking: { jsonRpcUrl: "http://127.0.0.1:1" } }] as never,
      }),
      /this chain forks no other/,
    );
    await rejects(client.mine({ blocks: 10_001 }), /from 0 to 10000/);
  });
});

describe("jurat dev --dir", function () {
  this.timeout(60_000);

  it("opens the chain again where it was, edits and impersonated transactions included", () =>
    withScratchDirectory(async (dir) => {
      const first = await startDevNode({ ...CONFIG, dir }, () => undefined);
      const client = clientsOf(first.url, "anvil");
      await client.setBalance({ address: STRANGER, value: parseEther("2") });
      await client.impersonateAccount({ address: STRANGER });
      await client.sendTransaction({ account: STRANGER, to: bob.address, value: parseEther("1") });
      const head = await client.getBlock();
      await first.close();

      await rejects(
        startDevNode({ ...CONFIG, dir, chainId: 5 }, () => undefined),
        DevDirectoryError,
      );
      const second = await startDevNode({ ...CONFIG, dir }, () => undefined);
      const again = createPublicClient({ chain: anvil, transport: http(second.url) }).extend(
        testActions({ mode: "anvil" }),
      );
      equal((await again.getBlock()).hash, head.hash);
      equal(await again.getBalance({ address: bob.address }), parseEther("10001"));
      await again.mine({ blocks: 1 });
      equal(await again.getBlockNumber(), head.number + 1n);
      await second.close();
    }));
});

describe("jurat dev, the program", function () {
  this.timeout(60_000);

  it("shows its flags, and refuses wrong ones", async () => {
    const run = (...args: string[]) =>
      promisify(execFile)(process.execPath, [join(PROJECT_ROOT, "dist/node/main.js"), "dev", ...args]);
    match((await run("--help")).stdout, /--block-time/);
    await rejects(run("--block-time", "0"), /expected a whole number/);
  });
});
