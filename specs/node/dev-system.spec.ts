/** What tools expect on every chain, used by viem on a running one. Prose: ../contracts/system.md, ../vm/contract/precompiles.md. */
import { deepEqual, equal } from "node:assert/strict";
import { join } from "node:path";
import {
  concat,
  createTestClient,
  erc20Abi,
  getCreate2Address,
  type Hex,
  http,
  pad,
  publicActions,
  sha256,
  toHex,
  walletActions,
} from "viem";
import { anvil } from "viem/chains";
import { buildContract } from "../../contracts/build/build-contract.ts";
import { CREATE2_DEPLOYER_ADDRESS, MULTICALL3_ADDRESS } from "../../contracts/build/system-image.ts";
import { type DevNode, startDevNode } from "../../node/dev/dev-node.ts";
import { PROJECT_ROOT } from "../support/vectors.ts";

const chain = { ...anvil, contracts: { multicall3: { address: MULTICALL3_ADDRESS } } };
const clientOf = (url: string) =>
  createTestClient({ mode: "anvil", chain, transport: http(url, { retryCount: 0 }), pollingInterval: 10 })
    .extend(publicActions)
    .extend(walletActions);

describe("a running chain", function () {
  this.timeout(60_000);
  let node: DevNode;
  let client: ReturnType<typeof clientOf>;
  let account: Hex;
  let artifact: Awaited<ReturnType<typeof buildContract>>;

  before(async () => {
    const config = { rpcHost: "127.0.0.1", rpcPort: 0, chainId: anvil.id, explorer: false };
    node = await startDevNode({ ...config, dir: undefined, blockTime: undefined }, () => undefined);
    client = clientOf(node.url);
    account = (await client.getAddresses())[0]!;
    const path = join(PROJECT_ROOT, "contracts/examples/token.ts");
    artifact = await buildContract(path, { typeCheck: false });
  });
  after(() => node.close());

  it("answers viem's multicall in one call, failures told apart", async () => {
    const hash = await client.deployContract({
      abi: artifact.abi as never,
      bytecode: artifact.bytecode,
      args: ["Token", "TKN", 9n],
      account,
    });
    const { contractAddress: address } = await client.getTransactionReceipt({ hash });
    const token = { address: address!, abi: erc20Abi } as const;
    const answers = await client.multicall({
      contracts: [
        { ...token, functionName: "totalSupply" },
        { ...token, functionName: "balanceOf", args: [account] },
        { ...token, functionName: "symbol" },
        { ...token, address: account, functionName: "symbol" },
      ],
    });
    deepEqual(
      answers.map(({ status, result }) => [status, result]),
      [
        ["success", 9n],
        ["success", 9n],
        ["success", "TKN"],
        ["failure", undefined],
      ],
    );
  });

  it("deploys through the CREATE2 deployer where viem says", async () => {
    const { bytecode } = await buildContract(join(PROJECT_ROOT, "specs/contracts/fixtures/talker.ts"), {
      typeCheck: false,
    });
    const salt = pad("0x5a17");
    const hash = await client.sendTransaction({
      account,
      to: CREATE2_DEPLOYER_ADDRESS,
      data: concat([salt, bytecode]),
    });
    equal((await client.getTransactionReceipt({ hash })).status, "success");
    const address = getCreate2Address({ from: CREATE2_DEPLOYER_ADDRESS, salt, bytecode });
    equal(await client.getCode({ address }), bytecode);
  });

  it("has Ethereum's precompiles at 0x01 to 0x09", async () => {
    const G1 = concat([pad("0x01"), pad("0x02")]);
    const inputs: readonly (readonly [Hex, Hex | undefined])[] = [
      ["0x", "0x"],
      ["0x616263", sha256("0x616263")],
      ["0x616263", pad("0x8eb208f7e05d987a9b044a8e98c6b087f15a0bfc")],
      ["0x616263", "0x616263"],
      [concat([pad("0x01"), pad("0x01"), pad("0x01"), "0x030507"]), "0x05"],
      [concat([G1, pad("0x", { size: 64 })]), G1],
      [concat([G1, pad("0x01")]), G1],
      ["0x", pad("0x01")],
      [toHex(new Uint8Array(213)), toHex(new Uint8Array(64))],
    ];
    for (const [index, [data, expected]] of inputs.entries()) {
      const { data: answer } = await client.call({ to: pad(toHex(index + 1), { size: 20 }), data });
      if (index === 8) equal(answer?.length, 2 + 128);
      else equal(answer ?? "0x", expected, `precompile ${index + 1}`);
    }
  });
});
