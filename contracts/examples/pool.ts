/** A pool of two tokens with shares of its own. See specs/contracts/library.md#constant-product-amm. */
import { contract, init } from "chain:std";
import { amm, openPool } from "../library/amm.ts";
import { erc20, nameToken } from "../library/erc20.ts";

export default contract({
  name: "Pool",
  init: init("address tokenA, address tokenB", (tokenA, tokenB) => {
    nameToken("Pool share", "POOL");
    openPool(tokenA, tokenB);
  }),
  functions: { ...erc20, ...amm },
});
