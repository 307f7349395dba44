/** A pool of two tokens that trades at the price of their product. See specs/contracts/library.md#constant-product-amm. */
import {
  type Address,
  address,
  block,
  error,
  event,
  external,
  msg,
  self,
  storage,
  view,
  ZERO,
} from "chain:std";
import { burn, mint, totalSupply } from "./erc20.ts";
import { held, safeTransfer, safeTransferFrom } from "./erc20-client.ts";

const pool = storage(
  { token0: "address", token1: "address", reserve0: "uint128", reserve1: "uint128" },
  "jurat.storage.Amm",
);

const Added = event(
  "LiquidityAdded(address indexed sender, uint256 amount0, uint256 amount1, uint256 shares)",
);
const Removed = event(
  "LiquidityRemoved(address indexed sender, uint256 amount0, uint256 amount1, uint256 shares)",
);
const Swapped = event(
  "Swap(address indexed sender, address indexed tokenIn, uint256 amountIn, uint256 amountOut, address indexed to)",
);

const InvalidTokens = error("AmmInvalidTokens(address tokenA, address tokenB)");
const UnknownToken = error("AmmUnknownToken(address token)");
const Expired = error("AmmExpired(uint256 deadline)");
const InsufficientOutput = error("AmmInsufficientOutput(uint256 amount, uint256 minimum)");
const InsufficientLiquidity = error("AmmInsufficientLiquidity()");

/** Of what comes in, in thousandths: three are the fee, which stays with those who share the pool. */
const FEE_FACTOR = 997n;
/** Shares that nobody can take out, so that one share can never be made worth more than a newcomer brings. */
const LOCKED_SHARES = 1_000n;
const NOBODY = address("0x000000000000000000000000000000000000dead");

/** For the constructor. Shares are an ERC-20 of the same contract, which it names itself. */
export function openPool(tokenA: Address, tokenB: Address): void {
  if (tokenA === tokenB || tokenA === ZERO || tokenB === ZERO) throw InvalidTokens({ tokenA, tokenB });
  [pool.token0, pool.token1] = tokenA < tokenB ? [tokenA, tokenB] : [tokenB, tokenA];
}

// What is asked of a pool while it calls out would be a price in the middle of a trade.
const whole = { reentrant: false };

export const amm = {
  token0: view("() returns (address)", () => pool.token0),
  token1: view("() returns (address)", () => pool.token1),
  getReserves: view(
    "() returns (uint256 reserve0, uint256 reserve1)",
    () => [pool.reserve0, pool.reserve1],
    whole,
  ),
  getAmountOut: view(
    "(address tokenIn, uint256 amountIn) returns (uint256)",
    (tokenIn, amountIn) => {
      const { reserveIn, reserveOut } = sideOf(tokenIn);
      return quote(amountIn, reserveIn, reserveOut);
    },
    whole,
  ),

  /** Takes both tokens; what exceeds the pool's ratio is a gift to the pool, so quote first. */
  addLiquidity: external(
    "(uint256 amount0, uint256 amount1, uint256 minShares, uint256 deadline) returns (uint256 shares)",
    (amount0, amount1, minShares, deadline) => {
      requireInTime(deadline);
      const { token0, token1, reserve0, reserve1 } = pool;
      safeTransferFrom(token0, msg.sender, self.address, amount0);
      safeTransferFrom(token1, msg.sender, self.address, amount1);
      // What came counts, not what was sent: some tokens keep a part.
      const balance0 = held(token0);
      const balance1 = held(token1);
      const shares = sharesFor(balance0 - reserve0, balance1 - reserve1, reserve0, reserve1);
      if (shares < minShares) throw InsufficientOutput({ amount: shares, minimum: minShares });
      setReserves(balance0, balance1);
      mint(msg.sender, shares);
      Added({ sender: msg.sender, amount0: balance0 - reserve0, amount1: balance1 - reserve1, shares });
      return shares;
    },
  ),

  removeLiquidity: external(
    "(uint256 shares, uint256 min0, uint256 min1, uint256 deadline) returns (uint256 amount0, uint256 amount1)",
    (shares, min0, min1, deadline) => {
      requireInTime(deadline);
      const { token0, token1, reserve0, reserve1 } = pool;
      const supply = totalSupply();
      if (supply === 0n) throw InsufficientLiquidity();
      const amount0 = (shares * reserve0) / supply;
      const amount1 = (shares * reserve1) / supply;
      if (amount0 < min0) throw InsufficientOutput({ amount: amount0, minimum: min0 });
      if (amount1 < min1) throw InsufficientOutput({ amount: amount1, minimum: min1 });
      burn(msg.sender, shares);
      setReserves(reserve0 - amount0, reserve1 - amount1);
      safeTransfer(token0, msg.sender, amount0);
      safeTransfer(token1, msg.sender, amount1);
      Removed({ sender: msg.sender, amount0, amount1, shares });
      return [amount0, amount1];
    },
  ),

  swap: external(
    "(address tokenIn, uint256 amountIn, uint256 minOut, address to, uint256 deadline) returns (uint256 amountOut)",
    (tokenIn, amountIn, minOut, to, deadline) => {
      requireInTime(deadline);
      const { isZero, reserveIn, reserveOut, tokenOut } = sideOf(tokenIn);
      safeTransferFrom(tokenIn, msg.sender, self.address, amountIn);
      const balanceIn = held(tokenIn);
      const amountOut = quote(balanceIn - reserveIn, reserveIn, reserveOut);
      if (amountOut === 0n || amountOut < minOut)
        throw InsufficientOutput({ amount: amountOut, minimum: minOut });
      if (isZero) setReserves(balanceIn, reserveOut - amountOut);
      else setReserves(reserveOut - amountOut, balanceIn);
      safeTransfer(tokenOut, to, amountOut);
      Swapped({ sender: msg.sender, tokenIn, amountIn: balanceIn - reserveIn, amountOut, to });
      return amountOut;
    },
  ),
};

function requireInTime(deadline: bigint): void {
  if (block.timestamp > deadline) throw Expired({ deadline });
}

function setReserves(reserve0: bigint, reserve1: bigint): void {
  pool.reserve0 = reserve0;
  pool.reserve1 = reserve1;
}

function sideOf(tokenIn: Address) {
  const { token0, token1, reserve0, reserve1 } = pool;
  if (tokenIn === token0)
    return { isZero: true, reserveIn: reserve0, reserveOut: reserve1, tokenOut: token1 };
  if (tokenIn === token1)
    return { isZero: false, reserveIn: reserve1, reserveOut: reserve0, tokenOut: token0 };
  throw UnknownToken({ token: tokenIn });
}

/** Rounded down, so that the product of the reserves never shrinks. */
function quote(amountIn: bigint, reserveIn: bigint, reserveOut: bigint): bigint {
  const afterFee = amountIn * FEE_FACTOR;
  const denominator = reserveIn * 1_000n + afterFee;
  return denominator === 0n ? 0n : (afterFee * reserveOut) / denominator;
}

/** In proportion to what is there; the first to come sets the ratio. */
function sharesFor(added0: bigint, added1: bigint, reserve0: bigint, reserve1: bigint): bigint {
  const supply = totalSupply();
  if (supply === 0n) {
    const shares = squareRoot(added0 * added1) - LOCKED_SHARES;
    if (shares <= 0n) throw InsufficientLiquidity();
    mint(NOBODY, LOCKED_SHARES);
    return shares;
  }
  const shares0 = (added0 * supply) / reserve0;
  const shares1 = (added1 * supply) / reserve1;
  const shares = shares0 < shares1 ? shares0 : shares1;
  if (shares === 0n) throw InsufficientLiquidity();
  return shares;
}

/** Rounded down, by Newton's method from a power of two above the root. */
function squareRoot(square: bigint): bigint {
  if (square < 2n) return square;
  let root = 1n << BigInt((square.toString(2).length + 1) >> 1);
  for (;;) {
    const next = (root + square / root) >> 1n;
    if (next >= root) return root;
    root = next;
  }
}
