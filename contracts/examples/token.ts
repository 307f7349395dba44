/** An ERC-20 token with an owner who mints, and permits by signature. See specs/contracts/library.md. */
import { contract, external, guard, init, msg } from "chain:std";
import { burn, erc20, mint, nameToken } from "../library/erc20.ts";
import { erc20Permit } from "../library/erc20-permit.ts";
import { onlyOwner, ownable, setOwner } from "../library/ownable.ts";

export default contract({
  name: "Token",

  init: init("string name, string symbol, uint256 supply", (name, symbol, supply) => {
    nameToken(name, symbol);
    setOwner(msg.sender);
    mint(msg.sender, supply);
  }),

  functions: {
    ...erc20,
    ...erc20Permit,
    ...ownable,

    burn: external("(uint256 value)", (value) => burn(msg.sender, value)),

    ...guard(onlyOwner, {
      mint: external("(address to, uint256 value)", (to, value) => mint(to, value)),
    }),
  },
});
