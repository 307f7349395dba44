import { deepEqual, equal, match } from "node:assert/strict";
import { join } from "node:path";
import { type Abi, createTestClient, type Hex, http, publicActions, walletActions } from "viem";
import { privateKeyToAccount } from "viem/accounts";
import { anvil } from "viem/chains";
import { buildContract } from "../../contracts/build/build-contract.ts";
import { startDevNode } from "../../node/dev/dev-node.ts";
import { deriveDevAccounts } from "../../primitives/dev-accounts.ts";
import { PROJECT_ROOT } from "../support/vectors.ts";

describe("jurat_getContract", function () {
  this.timeout(60_000);

  it("answers what a contract's code says of itself, and null where there is none", async () => {
    const node = await startDevNode(
      {
        rpcHost: "127.0.0.1",
        ...{ rpcPort: 0, chainId: anvil.id, dir: undefined, explorer: false, blockTime: undefined },
      },
      () => undefined,
    );
    try {
      const artifact = await buildContract(join(PROJECT_ROOT, "contracts/examples/token.ts"));
      const client = createTestClient({ mode: "anvil", chain: anvil, transport: http(node.url) })
        .extend(publicActions)
        .extend(walletActions);
      const account = privateKeyToAccount(deriveDevAccounts()[0]!.privateKey);
      const abi = artifact.abi as Abi;
      const deployment = { abi, bytecode: artifact.bytecode as Hex, account, args: ["Token", "TKN", 5n] };
      const hash = await client.deployContract(deployment);
      const { contractAddress } = await client.waitForTransactionReceipt({ hash, pollingInterval: 10 });
      const describeAt = async (address: Hex) => {
        const params = [address, "latest"];
        // biome-ignore lint/suspicious/noExplicitAny: viem does not know the method.
        return (await client.request({ method: "jurat_getContract", params } as any)) as any;
      };

      const described = await describeAt(contractAddress!);
      equal(described.name, "Token");
      equal(described.isUpgradeable, false);
      deepEqual(described.abi, artifact.abi);
      deepEqual(
        described.storageLayout.storage.map(({ label, slot }: { label: string; slot: string }) => [
          label,
          slot,
        ]),
        artifact.storageLayout.storage.map(({ label, slot }) => [label, slot]),
      );
      match(described.source, /contract\(\{/);
      equal(await describeAt(account.address), null);
      equal(await describeAt("0x00000000000000000000000000000000000000aa"), null);
    } finally {
      await node.close();
    }
  });
});
