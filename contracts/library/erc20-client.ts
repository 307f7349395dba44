/** Moving other contracts' ERC-20 tokens, whatever they return. See specs/contracts/library.md#erc-20-client. */
import { type Address, abi, call, codeSize, error, type Hex, iface, self } from "chain:std";

export const Erc20 = iface({
  transfer: "(address to, uint256 value) returns (bool)",
  transferFrom: "(address from, address to, uint256 value) returns (bool)",
  balanceOf: "(address account) view returns (uint256)",
  decimals: "() view returns (uint8)",
});

const FailedOperation = error("SafeERC20FailedOperation(address token)");

export function safeTransfer(token: Address, to: Address, value: bigint): void {
  mustSucceed(token, Erc20.encode.transfer(to, value));
}

export function safeTransferFrom(token: Address, from: Address, to: Address, value: bigint): void {
  mustSucceed(token, Erc20.encode.transferFrom(from, to, value));
}

/** What this contract has of a token. */
export function held(token: Address): bigint {
  return Erc20(token).balanceOf(self.address);
}

/** Some tokens return nothing, some `false`; an account without code returns nothing to everything. */
function mustSucceed(token: Address, data: Hex): void {
  const returned = call(token, data);
  const isGood = returned === "0x" ? codeSize(token) > 0n : abi.decode("bool", returned)[0];
  if (!isGood) throw FailedOperation({ token });
}
