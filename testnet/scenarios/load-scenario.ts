/** Transfers from every public test account, all of which become final. See specs/testnet/scenarios.md#the-scenarios. */
import { createPublicClient, createWalletClient, defineChain, type Hex, http } from "viem";
import { privateKeyToAccount } from "viem/accounts";
import { deriveDevAccounts } from "../../primitives/dev-accounts.ts";
import { untilFinalityGoesOn, untilInOrder } from "./finality-scenarios.ts";
import { type Scenario, ScenarioFailure } from "./scenario.ts";

const TRANSFERS_PER_ACCOUNT = 50;
const GAS = 21_000n;

export const load: Scenario = {
  name: "load",
  summary: `${TRANSFERS_PER_ACCOUNT} transfers of each test account are included once each and become final`,
  minimumNodes: 1,
  async run(network) {
    await untilInOrder(network);
    const accounts = deriveDevAccounts();
    const hashes = await Promise.all(
      accounts.map(async ({ privateKey }, index) =>
        sendAll(network.url(1 + (index % network.nodes)), privateKey),
      ),
    );
    const sent = hashes.flat();
    network.note(`${sent.length} transactions sent`);
    await network.until("the pools are empty", ({ pendingTransactions }) => pendingTransactions === 0, {
      limitSlots: 120,
    });
    await untilFinalityGoesOn(network, "finality goes on under load");
    const client = createPublicClient({ transport: http(network.url(1)) });
    for (const hash of sent) {
      const receipt = await client.getTransactionReceipt({ hash });
      if (receipt.status !== "success") throw new ScenarioFailure(`transaction ${hash} did not succeed`);
    }
  },
};

async function sendAll(url: string, privateKey: Hex): Promise<readonly Hex[]> {
  const transport = http(url);
  const account = privateKeyToAccount(privateKey);
  const reader = createPublicClient({ transport });
  const nativeCurrency = { name: "Jurat", symbol: "JUR", decimals: 18 };
  const id = await reader.getChainId();
  const chain = defineChain({ id, name: "jurat", nativeCurrency, rpcUrls: { default: { http: [url] } } });
  const wallet = createWalletClient({ account, chain, transport });
  const first = await reader.getTransactionCount({ address: account.address });
  const maxFeePerGas = 10n * (await reader.getGasPrice());
  const hashes: Hex[] = [];
  for (let nonce = first; nonce < first + TRANSFERS_PER_ACCOUNT; nonce++) {
    const transfer = {
      to: account.address,
      value: 1n,
      nonce,
      gas: GAS,
      maxFeePerGas,
      maxPriorityFeePerGas: 1n,
    };
    hashes.push(await wallet.sendTransaction(transfer));
  }
  return hashes;
}
