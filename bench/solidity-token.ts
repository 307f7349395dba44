/** The example token's functions in Solidity: what other engines are measured with. */
import type { Hex } from "viem";
import { compileSolidity } from "../specs/support/solidity.ts";

/** OpenZeppelin's ERC-20 without its layers of virtual functions, which would only slow it down. */
const SOURCE = `
  contract Token {
    event Transfer(address indexed from, address indexed to, uint256 value);
    error ERC20InsufficientBalance(address sender, uint256 balance, uint256 needed);
    error ERC20InvalidReceiver(address receiver);
    error ERC20InvalidSender(address sender);
    mapping(address => uint256) private balances;
    uint256 public totalSupply;
    constructor(uint256 supply) { totalSupply = supply; balances[msg.sender] = supply; }
    function balanceOf(address account) external view returns (uint256) { return balances[account]; }
    function transfer(address to, uint256 value) external returns (bool) {
      if (msg.sender == address(0)) revert ERC20InvalidSender(msg.sender);
      if (to == address(0)) revert ERC20InvalidReceiver(to);
      uint256 balance = balances[msg.sender];
      if (balance < value) revert ERC20InsufficientBalance(msg.sender, balance, value);
      unchecked { balances[msg.sender] = balance - value; }
      balances[to] += value;
      emit Transfer(msg.sender, to, value);
      return true;
    }
  }`;

/** Compiled with solc's optimizer; the constructor takes the supply. */
export function solidityToken(): Hex {
  const token = compileSolidity(SOURCE, { optimizes: true })["Token"];
  if (token === undefined) throw new Error("solc compiled no Token");
  return token.bytecode;
}
