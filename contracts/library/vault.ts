/** ERC-4626: shares, themselves an ERC-20, of a vault of one token. See specs/contracts/library.md#vault. */
import { type Address, error, event, external, msg, self, storage, view } from "chain:std";
import { balanceOf, burn, mint, spendAllowance, totalSupply } from "./erc20.ts";
import { Erc20, held, safeTransfer, safeTransferFrom } from "./erc20-client.ts";

const vaultState = storage({ asset: "address", assetDecimals: "uint8" }, "openzeppelin.storage.ERC4626");

const Deposit = event(
  "Deposit(address indexed sender, address indexed owner, uint256 assets, uint256 shares)",
);
const Withdraw = event(
  "Withdraw(address indexed sender, address indexed receiver, address indexed owner, uint256 assets, uint256 shares)",
);
const ExceededMaxWithdraw = error("ERC4626ExceededMaxWithdraw(address owner, uint256 assets, uint256 max)");
const ExceededMaxRedeem = error("ERC4626ExceededMaxRedeem(address owner, uint256 shares, uint256 max)");

const UNLIMITED = 2n ** 256n - 1n;
/**
 * Shares and assets that the arithmetic counts besides the real ones. Who gives assets to an empty vault to make a share
 * dear gives most of them to these, which nobody owns, and so pays more than a later depositor can lose.
 */
const VIRTUAL_SHARES = 1_000n;
const VIRTUAL_ASSETS = 1n;
/** So many decimals more than the asset has, since a vault begins with that many shares for an asset. */
const EXTRA_DECIMALS = 3n;

/** For the constructor; shares are named with the ERC-20's own function. */
export function openVault(asset: Address): void {
  vaultState.asset = asset;
  vaultState.assetDecimals = Erc20(asset).decimals();
}

// What is asked of a vault while it calls out would be a price in the middle of a payment.
const whole = { reentrant: false };

/** Rounding is always in favour of those who stay. */
const sharesOf = (assets: bigint, round: Round): bigint =>
  round(assets * (totalSupply() + VIRTUAL_SHARES), held(vaultState.asset) + VIRTUAL_ASSETS);
const assetsOf = (shares: bigint, round: Round): bigint =>
  round(shares * (held(vaultState.asset) + VIRTUAL_ASSETS), totalSupply() + VIRTUAL_SHARES);

type Round = (numerator: bigint, denominator: bigint) => bigint;
const down: Round = (numerator, denominator) => numerator / denominator;
const up: Round = (numerator, denominator) => (numerator + denominator - 1n) / denominator;

/** To be spread behind `...erc20`, whose decimals it replaces. */
export const vault = {
  decimals: view("() returns (uint8)", () => vaultState.assetDecimals + EXTRA_DECIMALS),
  asset: view("() returns (address)", () => vaultState.asset),
  totalAssets: view("() returns (uint256)", () => held(vaultState.asset), whole),
  convertToShares: view("(uint256 assets) returns (uint256)", (assets) => sharesOf(assets, down), whole),
  convertToAssets: view("(uint256 shares) returns (uint256)", (shares) => assetsOf(shares, down), whole),
  maxDeposit: view("(address receiver) returns (uint256)", () => UNLIMITED),
  maxMint: view("(address receiver) returns (uint256)", () => UNLIMITED),
  maxWithdraw: view("(address owner) returns (uint256)", (owner) => assetsOf(balanceOf(owner), down), whole),
  maxRedeem: view("(address owner) returns (uint256)", (owner) => balanceOf(owner), whole),
  previewDeposit: view("(uint256 assets) returns (uint256)", (assets) => sharesOf(assets, down), whole),
  previewMint: view("(uint256 shares) returns (uint256)", (shares) => assetsOf(shares, up), whole),
  previewWithdraw: view("(uint256 assets) returns (uint256)", (assets) => sharesOf(assets, up), whole),
  previewRedeem: view("(uint256 shares) returns (uint256)", (shares) => assetsOf(shares, down), whole),

  deposit: external("(uint256 assets, address receiver) returns (uint256 shares)", (assets, receiver) => {
    const shares = sharesOf(assets, down);
    payIn(receiver, assets, shares);
    return shares;
  }),
  mint: external("(uint256 shares, address receiver) returns (uint256 assets)", (shares, receiver) => {
    const assets = assetsOf(shares, up);
    payIn(receiver, assets, shares);
    return assets;
  }),
  withdraw: external(
    "(uint256 assets, address receiver, address owner) returns (uint256 shares)",
    (assets, receiver, owner) => {
      const max = assetsOf(balanceOf(owner), down);
      if (assets > max) throw ExceededMaxWithdraw({ owner, assets, max });
      const shares = sharesOf(assets, up);
      payOut(receiver, owner, assets, shares);
      return shares;
    },
  ),
  redeem: external(
    "(uint256 shares, address receiver, address owner) returns (uint256 assets)",
    (shares, receiver, owner) => {
      const max = balanceOf(owner);
      if (shares > max) throw ExceededMaxRedeem({ owner, shares, max });
      const assets = assetsOf(shares, down);
      payOut(receiver, owner, assets, shares);
      return assets;
    },
  ),
};

function payIn(receiver: Address, assets: bigint, shares: bigint): void {
  safeTransferFrom(vaultState.asset, msg.sender, self.address, assets);
  mint(receiver, shares);
  Deposit({ sender: msg.sender, owner: receiver, assets, shares });
}

function payOut(receiver: Address, owner: Address, assets: bigint, shares: bigint): void {
  if (msg.sender !== owner) spendAllowance(owner, msg.sender, shares);
  burn(owner, shares);
  safeTransfer(vaultState.asset, receiver, assets);
  Withdraw({ sender: msg.sender, receiver, owner, assets, shares });
}
