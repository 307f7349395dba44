/** A vault that holds one token for those who have shares of it. See specs/contracts/library.md#vault. */
import { contract, init } from "chain:std";
import { erc20, nameToken } from "../library/erc20.ts";
import { openVault, vault } from "../library/vault.ts";

export default contract({
  name: "Vault",
  init: init("address asset, string name, string symbol", (asset, name, symbol) => {
    nameToken(name, symbol);
    openVault(asset);
  }),
  functions: { ...erc20, ...vault },
});
