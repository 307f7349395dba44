/** specs/contracts/library.md, on a real node: the library's contracts through viem, unmodified. */
import { deepEqual, equal, rejects } from "node:assert/strict";
import {
  type Abi,
  BaseError,
  ContractFunctionRevertedError,
  createPublicClient,
  createWalletClient,
  defineChain,
  encodeFunctionData,
  type Hex,
  http,
  parseSignature,
} from "viem";
import { type PrivateKeyAccount, privateKeyToAccount } from "viem/accounts";
import { deriveDevAccounts } from "../../primitives/dev-accounts.ts";
import { example } from "../contracts/library-world.ts";
import { type SingleNode, startSingleNode } from "../support/single-node.ts";

const [alice, bob] = deriveDevAccounts().map(({ privateKey }) => privateKeyToAccount(privateKey as Hex)) as [
  PrivateKeyAccount,
  PrivateKeyAccount,
];
const LATER = 10_000_000_000n;

type Contract = { readonly address: Hex; readonly abi: Abi };

describe("the library on a node, through viem", function () {
  this.timeout(180_000);
  let node: SingleNode;
  let wallet: ReturnType<typeof clients>["wallet"];
  let chain: ReturnType<typeof clients>["chain"];

  function clients(url: string, id: number) {
    const chain = defineChain({
      id,
      name: "jurat",
      nativeCurrency: { name: "Ether", symbol: "ETH", decimals: 18 },
      rpcUrls: { default: { http: [url] } },
    });
    const options = { chain, transport: http(url), pollingInterval: 100 };
    return { wallet: createWalletClient(options), chain: createPublicClient(options) };
  }

  before(async () => {
    node = await startSingleNode();
    ({ wallet, chain } = clients(node.url, node.chainId));
  });
  after(() => node?.stop());

  async function deploy(name: string, args: readonly unknown[]): Promise<Contract> {
    const { abi, bytecode } = await example(name);
    const hash = await wallet.deployContract({ abi, bytecode, args, account: alice } as never);
    const { status, contractAddress } = await chain.waitForTransactionReceipt({ hash });
    equal(status, "success");
    return { address: contractAddress as Hex, abi };
  }

  const read = (contract: Contract, functionName: string, ...args: unknown[]): Promise<unknown> =>
    chain.readContract({ ...contract, functionName, args });

  /** Simulates, as wallets do, sends, and waits. */
  async function write(
    account: PrivateKeyAccount,
    contract: Contract,
    functionName: string,
    ...args: unknown[]
  ) {
    const { request, result } = await chain.simulateContract({ ...contract, functionName, args, account });
    const { status } = await chain.waitForTransactionReceipt({ hash: await wallet.writeContract(request) });
    equal(status, "success");
    return result;
  }

  /** The name of the custom error that viem decodes from a refused simulation. */
  async function refusal(
    account: PrivateKeyAccount,
    contract: Contract,
    functionName: string,
    ...args: unknown[]
  ) {
    let name: string | undefined;
    await rejects(chain.simulateContract({ ...contract, functionName, args, account }), (error: unknown) => {
      const reverted =
        error instanceof BaseError ? error.walk((e) => e instanceof ContractFunctionRevertedError) : null;
      name = (reverted as ContractFunctionRevertedError | null)?.data?.errorName;
      return true;
    });
    return name;
  }

  it("a pool trades two tokens, one of them allowed by a signed permit", async () => {
    const supply = 10n ** 24n;
    const [first, second] = [
      await deploy("token", ["A", "A", supply]),
      await deploy("token", ["B", "B", supply]),
    ];
    const pool = await deploy("pool", [first.address, second.address]);
    const signature = await alice.signTypedData({
      domain: { name: "A", version: "1", chainId: node.chainId, verifyingContract: first.address },
      types: {
        Permit: [
          "owner address",
          "spender address",
          "value uint256",
          "nonce uint256",
          "deadline uint256",
        ].map((field) => {
          const [name = "", type = ""] = field.split(" ");
          return { name, type };
        }),
      },
      primaryType: "Permit",
      message: { owner: alice.address, spender: pool.address, value: supply, nonce: 0n, deadline: LATER },
    });
    const { r, s, v } = parseSignature(signature);
    await write(bob, first, "permit", alice.address, pool.address, supply, LATER, Number(v), r, s);
    equal(
      await refusal(bob, first, "permit", alice.address, pool.address, supply, LATER, Number(v), r, s),
      "ERC2612InvalidSigner",
    );
    await write(alice, second, "approve", pool.address, supply);
    await write(alice, pool, "addLiquidity", 10n ** 20n, 10n ** 20n, 0n, LATER);
    const out = await write(alice, pool, "swap", first.address, 10n ** 18n, 0n, bob.address, LATER);
    equal(await read(second, "balanceOf", bob.address), out);
    equal(
      await refusal(alice, pool, "swap", first.address, 1n, 1n, bob.address, LATER),
      "AmmInsufficientOutput",
    );
  });

  it("a vault pays back, an item is owned, a multisig needs two", async () => {
    const token = await deploy("token", ["Gold", "GLD", 10_000n]);
    const vault = await deploy("vault", [token.address, "Vault", "vGLD"]);
    await write(alice, token, "approve", vault.address, 10_000n);
    await write(alice, vault, "deposit", 4_000n, bob.address);
    equal(
      await refusal(alice, vault, "redeem", 1n, alice.address, bob.address),
      "ERC20InsufficientAllowance",
    );
    await write(bob, vault, "withdraw", 1_500n, bob.address, bob.address);
    equal(await read(token, "balanceOf", bob.address), 1_500n);

    const collectible = await deploy("collectible", ["Cats", "CAT", "ipfs://"]);
    await write(alice, collectible, "safeMint", bob.address);
    equal(await read(collectible, "ownerOf", 0n), bob.address);
    equal(await refusal(bob, collectible, "safeMint", bob.address), "AccessControlUnauthorizedAccount");

    const treasury = await deploy("treasury", [[alice.address, bob.address], 2n]);
    await write(alice, token, "transfer", treasury.address, 5n);
    const data = encodeFunctionData({ abi: token.abi, functionName: "transfer", args: [bob.address, 5n] });
    const id = await write(alice, treasury, "propose", token.address, 0n, data);
    equal(await refusal(alice, treasury, "execute", id), "MultisigNotConfirmed");
    await write(bob, treasury, "confirm", id);
    await write(bob, treasury, "execute", id);
    equal(await read(token, "balanceOf", bob.address), 1_505n);
  });

  it("a contract takes over another's code, and a proxy another implementation", async () => {
    const counter = await deploy("counter", []);
    await write(alice, counter, "increment");
    const template = await deploy("token", ["T", "T", 0n]);
    const { codeHash } = await chain.getProof({ address: template.address, storageKeys: [] });
    equal(await refusal(bob, counter, "upgradeTo", template.address, codeHash), "OwnableUnauthorizedAccount");
    await write(alice, counter, "upgradeTo", template.address, codeHash);
    deepEqual(await chain.getCode(counter), await chain.getCode(template));
    // The counter's owner owns the token it became: both keep the owner at the same place.
    equal(await read({ ...template, address: counter.address }, "owner"), alice.address);
    equal((await chain.getProof({ address: counter.address, storageKeys: [] })).codeHash, codeHash);

    const implementation = await deploy("proxied-counter", []);
    const initialize = { abi: implementation.abi, functionName: "initialize", args: [alice.address, 4n] };
    const proxy = await deploy("proxy", [implementation.address, encodeFunctionData(initialize)]);
    const behind = { ...implementation, address: proxy.address };
    await write(bob, behind, "increment");
    equal(await read(behind, "count"), 4n);
    const next = await deploy("proxied-counter", []);
    await write(alice, behind, "upgradeToAndCall", next.address, "0x");
    equal(await read(behind, "count"), 4n);
    const slot = "0x360894a13ba1a3210667c828492db98dca3e2076cc3735a920a3ca505d382bbc";
    equal(BigInt((await chain.getStorageAt({ address: proxy.address, slot })) ?? 0), BigInt(next.address));
  });
});
