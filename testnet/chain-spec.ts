/** The testnet's chain spec: development accounts with funds, system contracts, well-known validator keys. */
import { blsPublicKey } from "../primitives/bls.ts";
import type { Hex } from "../primitives/bytes.ts";
import { toHex } from "../primitives/bytes.ts";
import { DEV_ACCOUNT_COUNT, DEV_BALANCE_WEI, deriveDevAccounts } from "../primitives/dev-accounts.ts";
import { interopSecretKey } from "../primitives/interop-keys.ts";
import type { NetworkDescription } from "./network-files.ts";

const STAKE_GWEI = 32n * 10n ** 9n;

/**
 * The JSON that `jurat run --chain-spec` reads (specs/consensus/genesis.md#chain-spec). Validator i withdraws to
 * development account i modulo ten.
 */
export function buildChainSpec(
  { chainId, nodes, validatorsPerNode, slotSeconds, genesisTime }: NetworkDescription,
  systemAllocation: Readonly<Record<Hex, unknown>>,
  preset = "testnet",
): unknown {
  const accounts = deriveDevAccounts();
  const funded = accounts.map(({ address }) => [address, { balance: DEV_BALANCE_WEI.toString() }]);
  return {
    name: "jurat-testnet",
    preset,
    chainId,
    genesisTime,
    slotSeconds,
    alloc: { ...systemAllocation, ...Object.fromEntries(funded) },
    validators: Array.from({ length: nodes * validatorsPerNode }, (_, index) => ({
      publicKey: toHex(blsPublicKey(interopSecretKey(index))),
      withdrawalAddress: accounts[index % DEV_ACCOUNT_COUNT]?.address,
      amountGwei: STAKE_GWEI.toString(),
    })),
  };
}
