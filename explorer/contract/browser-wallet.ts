/** Wallets of the browser: found by EIP-6963, spoken to by EIP-1193. Keys never come near this page. */
import { signal } from "@preact/signals";
import { ask } from "../node/json-rpc.ts";
import type { Hex } from "../node/objects.ts";

/** EIP-1193. */
type Provider = {
  request(request: { readonly method: string; readonly params?: readonly unknown[] }): Promise<unknown>;
};

/** EIP-6963's announcement. */
export type AnnouncedWallet = {
  readonly info: { readonly uuid: string; readonly name: string };
  readonly provider: Provider;
};

/** Wallets one page can need; an extension that announces without end is cut off. */
const WALLETS_LIMIT = 20;

export const wallets = signal<readonly AnnouncedWallet[]>([]);

addEventListener("eip6963:announceProvider", (event) => {
  const { detail } = event as CustomEvent<AnnouncedWallet>;
  const known = wallets.value.some(({ info }) => info.uuid === detail.info.uuid);
  if (!known && wallets.value.length < WALLETS_LIMIT) wallets.value = [...wallets.value, detail];
});
dispatchEvent(new Event("eip6963:requestProvider"));

export type Connection = { readonly wallet: AnnouncedWallet; readonly account: Hex };

export const connection = signal<Connection | undefined>(undefined);

/** A wallet's word for a chain it has not been told of (EIP-3326). */
const UNKNOWN_CHAIN = 4902;

/** Asks the wallet for an account, and to be on the node's chain. */
export async function connect(wallet: AnnouncedWallet): Promise<void> {
  const accounts = (await wallet.provider.request({ method: "eth_requestAccounts" })) as readonly Hex[];
  const [account] = accounts;
  if (account === undefined) throw new Error("the wallet gave no account");
  await joinChain(wallet.provider);
  connection.value = { wallet, account };
}

async function joinChain(provider: Provider): Promise<void> {
  const chainId = await ask<Hex>("eth_chainId");
  if ((await provider.request({ method: "eth_chainId" })) === chainId) return;
  try {
    await provider.request({ method: "wallet_switchEthereumChain", params: [{ chainId }] });
  } catch (error) {
    if ((error as { code?: number }).code !== UNKNOWN_CHAIN) throw error;
    const nativeCurrency = { name: "Jurat", symbol: "JUR", decimals: 18 };
    const rpcUrls = [location.origin];
    const params = [{ chainId, chainName: "Jurat", nativeCurrency, rpcUrls }];
    await provider.request({ method: "wallet_addEthereumChain", params });
  }
}

/** @returns the hash of the transaction the wallet signed and sent. */
export async function sendTransaction(to: Hex, data: Hex, valueWei: bigint): Promise<Hex> {
  const connected = connection.value;
  if (connected === undefined) throw new Error("connect a wallet first");
  const transaction = { from: connected.account, to, data, value: `0x${valueWei.toString(16)}` };
  return (await connected.wallet.provider.request({
    method: "eth_sendTransaction",
    params: [transaction],
  })) as Hex;
}
