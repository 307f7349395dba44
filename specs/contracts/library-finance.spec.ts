/** specs/contracts/library.md: the pool and the vault. */
import { deepEqual, equal, ok } from "node:assert/strict";
import fc from "fast-check";
import { parseAbi, toFunctionSelector } from "viem";
import type { Address } from "../../primitives/bytes.ts";
import { ALICE, BOB } from "../vm/contract/sandbox.ts";
import { Deployed, LibraryWorld, MAX } from "./library-world.ts";

const asBob = { from: BOB };
const LATER = 2_000_000_000n;
/** ReentrancyGuardReentrantCall(), which the chain throws. */
const REENTRANT = toFunctionSelector("function ReentrancyGuardReentrantCall()");
const STRANGE_ABI = parseAbi([
  "function balanceOf(address account) view returns (uint256)",
  "function give(address to, uint256 value)",
  "function arm(address target)",
]);
const DEAD: Address = "0x000000000000000000000000000000000000dead";

/** Tokens that misbehave, from JavaScript: `body` is what a transfer does before it says that it succeeded. */
const strangeToken = (body: string, before = "", result = "return true;") =>
  [
    `functions: {
       balanceOf: view("(address account) returns (uint256)", (account) => t.balances.get(account)),
       decimals: view("() returns (uint8)", () => 18n),
       give: external("(address to, uint256 value)", (to, value) => { t.balances.add(to, value); }),
       arm: external("(address target)", (target) => { t.target = target; }),
       transfer: external("(address to, uint256 value) returns (bool)", (to, value) => { const from = msg.sender; ${body} ${result} }),
       transferFrom: external("(address from, address to, uint256 value) returns (bool)", (from, to, value) => { ${body} ${result} }),
     }`,
    `const t = storage({ balances: mapping("address", "uint256"), target: "address" });
     const move = (from, to, value) => { t.balances.sub(from, value); t.balances.add(to, value); };
     ${before}`,
  ] as const;

describe("library: constant-product AMM", function () {
  this.timeout(60_000);

  async function market(world = new LibraryWorld()) {
    const first = await world.create("token", ["A", "A", 10n ** 30n]);
    const second = await world.create("token", ["B", "B", 10n ** 30n]);
    const [token0, token1] = first.address < second.address ? [first, second] : [second, first];
    const pool = await world.create("pool", [second.address, first.address]);
    for (const token of [token0, token1]) {
      token.must({}, "approve", pool.address, MAX);
      token.must({}, "transfer", BOB, 10n ** 25n);
      token.must(asBob, "approve", pool.address, MAX);
    }
    return { world, token0, token1, pool };
  }

  const reserves = (pool: Deployed) => pool.get("getReserves") as readonly [bigint, bigint];

  it("prices by the product and keeps the fee", async () => {
    const { pool, token0, token1 } = await market();
    equal(pool.must({}, "addLiquidity", 1_000_000n, 4_000_000n, 0n, LATER).value, 2_000_000n - 1_000n);
    equal(pool.get("balanceOf", DEAD), 1_000n);
    // 10 000 · 0.997 · 4 000 000 / (1 000 000 + 9 970)
    equal(pool.get("getAmountOut", token0.address, 10_000n), 39_486n);
    const before = token1.get("balanceOf", BOB) as bigint;
    const { value, events } = pool.must(asBob, "swap", token0.address, 10_000n, 39_486n, BOB, LATER);
    equal(value, 39_486n);
    deepEqual(events.at(-1), [
      "Swap",
      { sender: BOB, tokenIn: token0.address, amountIn: 10_000n, amountOut: 39_486n, to: BOB },
    ]);
    deepEqual([token1.get("balanceOf", BOB), reserves(pool)], [before + 39_486n, [1_010_000n, 3_960_514n]]);
  });

  it("gives back in proportion, and never more than was put in and earned", async () => {
    const { pool, token0 } = await market();
    pool.must({}, "addLiquidity", 10n ** 20n, 10n ** 20n, 0n, LATER);
    const { value: shares } = pool.must(asBob, "addLiquidity", 10n ** 18n, 10n ** 18n, 0n, LATER);
    deepEqual(pool.must(asBob, "removeLiquidity", shares, 0n, 0n, LATER).value, [10n ** 18n, 10n ** 18n]);
    pool.must({}, "swap", token0.address, 10n ** 19n, 0n, ALICE, LATER);
    const { value } = pool.must({}, "removeLiquidity", pool.get("balanceOf", ALICE), 0n, 0n, LATER);
    const [left0, left1] = reserves(pool);
    ok(left0 > 0n && left1 > 0n && left0 < 2_000n && left1 < 2_000n, String(value));
  });

  it("states what it refuses", async () => {
    const { pool, token0 } = await market();
    deepEqual(pool.send({}, "addLiquidity", 1_000n, 1_000n, 0n, LATER).error, ["AmmInsufficientLiquidity"]);
    deepEqual(pool.send({}, "removeLiquidity", 1n, 0n, 0n, LATER).error, ["AmmInsufficientLiquidity"]);
    pool.must({}, "addLiquidity", 10n ** 6n, 10n ** 6n, 0n, LATER);
    deepEqual(pool.send({}, "swap", BOB, 1n, 0n, BOB, LATER).error, ["AmmUnknownToken", BOB]);
    deepEqual(pool.send({}, "swap", token0.address, 100n, 100n, BOB, LATER).error, [
      "AmmInsufficientOutput",
      99n,
      100n,
    ]);
    deepEqual(pool.send({}, "swap", token0.address, 0n, 0n, BOB, LATER).error, [
      "AmmInsufficientOutput",
      0n,
      0n,
    ]);
    deepEqual(pool.send({}, "swap", token0.address, 100n, 0n, BOB, 1n).error, ["AmmExpired", 1n]);
    deepEqual(
      pool.send({}, "addLiquidity", 2n ** 128n, 1n, 0n, LATER).error?.[0],
      "ERC20InsufficientBalance",
    );
    deepEqual(pool.send(asBob, "removeLiquidity", 1n, 0n, 0n, LATER).error, [
      "ERC20InsufficientBalance",
      BOB,
      0n,
      1n,
    ]);
  });

  it("never lets the product of the reserves for each share shrink, whatever is done", async () => {
    const { pool, token0, token1 } = await market();
    pool.must({}, "addLiquidity", 10n ** 9n, 3n * 10n ** 9n, 0n, LATER);
    const worth = () => {
      const [reserve0, reserve1] = reserves(pool);
      return { product: reserve0 * reserve1, shares: pool.get("totalSupply") as bigint };
    };
    const amount = fc.bigInt({ min: 1n, max: 10n ** 9n });
    const step = fc.oneof(
      fc.record({ run: fc.constant("swap" as const), isZero: fc.boolean(), amount }),
      fc.record({ run: fc.constant("add" as const), amount, other: amount }),
      fc.record({ run: fc.constant("remove" as const), amount }),
    );
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 6 }), (steps) => {
        for (const step of steps) {
          const before = worth();
          if (step.run === "swap") {
            pool.send(asBob, "swap", (step.isZero ? token0 : token1).address, step.amount, 0n, BOB, LATER);
          } else if (step.run === "add") pool.send(asBob, "addLiquidity", step.amount, step.other, 0n, LATER);
          else pool.send(asBob, "removeLiquidity", step.amount, 0n, 0n, LATER);
          const after = worth();
          // product / shares², multiplied out
          ok(after.product * before.shares ** 2n >= before.product * after.shares ** 2n);
          deepEqual(reserves(pool), [
            token0.get("balanceOf", pool.address),
            token1.get("balanceOf", pool.address),
          ]);
        }
      }),
      { numRuns: 15 },
    );
  });

  async function marketWith(world: LibraryWorld, strange: Address) {
    const token = await world.create("token", ["A", "A", 10n ** 30n]);
    const pool = await world.create("pool", [token.address, strange]);
    token.must({}, "approve", pool.address, MAX);
    const alien = new Deployed(world, strange, STRANGE_ABI);
    alien.must({}, "give", ALICE, 10n ** 24n);
    return { token, pool, alien };
  }

  it("counts what a token that keeps a part really delivered", async () => {
    const world = new LibraryWorld();
    const { token, pool, alien } = await marketWith(
      world,
      world.hostile(
        ...strangeToken("move(from, to, value - value / 10n); t.balances.sub(from, value / 10n);"),
      ),
    );
    const [first, second] = token.address < alien.address ? [10n ** 6n, 10n ** 7n] : [10n ** 7n, 10n ** 6n];
    pool.must({}, "addLiquidity", first, second, 0n, LATER);
    equal(alien.get("balanceOf", pool.address), 9n * 10n ** 6n);
    ok(reserves(pool).includes(9n * 10n ** 6n));
    pool.must({}, "swap", alien.address, 1_000n, 0n, ALICE, LATER);
    equal(alien.get("balanceOf", pool.address), 9n * 10n ** 6n + 900n);
  });

  it("works with tokens that return nothing, not with those that return false or are no contract", async () => {
    const pair = (result: string) => {
      const world = new LibraryWorld();
      return marketWith(world, world.hostile(...strangeToken("move(from, to, value);", "", result)));
    };
    const failing = await pair("return false;");
    deepEqual(failing.pool.send({}, "addLiquidity", 10n ** 6n, 10n ** 6n, 0n, LATER).error, [
      "SafeERC20FailedOperation",
      failing.alien.address,
    ]);
    const world = new LibraryWorld();
    const [members, before] = strangeToken("move(from, to, value);", "", "");
    const silent = await marketWith(
      world,
      world.hostile(members.replaceAll(/(value\)) returns \(bool\)/g, "$1"), before),
    );
    equal(silent.pool.send({}, "addLiquidity", 10n ** 6n, 10n ** 6n, 0n, LATER).error, undefined);
    const empty = await world.create("pool", [silent.token.address, DEAD]);
    silent.token.must({}, "approve", empty.address, MAX);
    deepEqual(empty.send({}, "addLiquidity", 10n ** 6n, 10n ** 6n, 0n, LATER).error, [
      "SafeERC20FailedOperation",
      DEAD,
    ]);
  });

  it("lets no token come back during a trade, neither to trade nor to ask for the price", async () => {
    for (const [call, signature] of [
      [
        "addLiquidity(1n, 1n, 0n, 9999999999n)",
        'addLiquidity: "(uint256 a, uint256 b, uint256 c, uint256 d) returns (uint256)"',
      ],
      ["getReserves()", 'getReserves: "() view returns (uint256, uint256)"'],
      ["transfer(self.address, 1n)", 'transfer: "(address to, uint256 value) returns (bool)"'],
    ]) {
      const world = new LibraryWorld();
      const { pool, alien } = await marketWith(
        world,
        world.hostile(
          ...strangeToken(
            `if (t.target !== ZERO) Pool(t.target).${call}; move(from, to, value);`,
            `const Pool = iface({ ${signature} });`,
          ),
        ),
      );
      pool.must({}, "addLiquidity", 10n ** 6n, 10n ** 6n, 0n, LATER);
      alien.must({}, "arm", pool.address);
      deepEqual(pool.send({}, "swap", alien.address, 1_000n, 0n, ALICE, LATER).error, [REENTRANT]);
    }
  });
});

describe("library: vault", function () {
  this.timeout(60_000);

  async function bank() {
    const world = new LibraryWorld();
    const token = await world.create("token", ["Gold", "GLD", 10n ** 30n]);
    const vault = await world.create("vault", [token.address, "Gold share", "vGLD"]);
    token.must({}, "transfer", BOB, 10n ** 24n);
    for (const options of [{}, asBob]) token.must(options, "approve", vault.address, MAX);
    return { world, token, vault };
  }

  it("gives shares for assets and back", async () => {
    const { token, vault } = await bank();
    deepEqual(
      [vault.get("asset"), vault.get("decimals"), vault.get("name")],
      [token.address, 21, "Gold share"],
    );
    const { value: shares, events } = vault.must(asBob, "deposit", 1_000n, ALICE);
    equal(shares, 1_000_000n);
    deepEqual(events.at(-1), ["Deposit", { sender: BOB, owner: ALICE, assets: 1_000n, shares: 1_000_000n }]);
    equal(vault.must({}, "mint", 5_000n, ALICE).value, 5n);
    equal(vault.must({}, "withdraw", 5n, BOB, ALICE).value, 5_000n);
    equal(vault.must({}, "redeem", 1_000_000n, BOB, ALICE).value, 1_000n);
    deepEqual(
      [vault.get("totalSupply"), vault.get("totalAssets"), token.get("balanceOf", BOB)],
      [0n, 0n, 10n ** 24n + 5n],
    );
  });

  it("lets others spend shares only as they were allowed, and nobody more than there is", async () => {
    const { vault } = await bank();
    vault.must({}, "deposit", 10n, ALICE);
    deepEqual(vault.send(asBob, "redeem", 5_000n, BOB, ALICE).error, [
      "ERC20InsufficientAllowance",
      BOB,
      0n,
      5_000n,
    ]);
    deepEqual(vault.send(asBob, "withdraw", 5n, BOB, ALICE).error, [
      "ERC20InsufficientAllowance",
      BOB,
      0n,
      5_000n,
    ]);
    vault.must({}, "approve", BOB, 5_000n);
    vault.must(asBob, "withdraw", 5n, BOB, ALICE);
    equal(vault.get("allowance", ALICE, BOB), 0n);
    deepEqual(vault.send({}, "redeem", 5_001n, ALICE, ALICE).error, [
      "ERC4626ExceededMaxRedeem",
      ALICE,
      5_001n,
      5_000n,
    ]);
    deepEqual(vault.send({}, "withdraw", 6n, ALICE, ALICE).error, [
      "ERC4626ExceededMaxWithdraw",
      ALICE,
      6n,
      5n,
    ]);
    equal(vault.send(asBob, "deposit", 10n ** 25n, BOB).error?.[0], "ERC20InsufficientBalance");
    deepEqual(vault.send({}, "deposit", MAX, ALICE).error, [
      "ERC20InsufficientBalance",
      ALICE,
      10n ** 30n - 10n ** 24n - 10n,
      MAX,
    ]);
  });

  it("takes nothing from a depositor whom someone wants to round away", async () => {
    const { token, vault } = await bank();
    vault.must(asBob, "deposit", 1n, BOB);
    token.must(asBob, "transfer", vault.address, 10_000n);
    vault.must({}, "deposit", 10_000n, ALICE);
    const back = vault.get("convertToAssets", vault.get("balanceOf", ALICE)) as bigint;
    const gain = (vault.get("convertToAssets", vault.get("balanceOf", BOB)) as bigint) - 10_001n;
    ok(back >= 9_990n, `the depositor has ${back} of 10 000`);
    ok(gain < 0n, `who tried has won ${gain}`);
  });

  it("rounds in favour of those who stay, whatever is done", async () => {
    const { token, vault } = await bank();
    vault.must({}, "deposit", 777n, ALICE);
    token.must({}, "transfer", vault.address, 13n);
    const amount = fc.bigInt({ min: 0n, max: 100_000n });
    const kind = fc.constantFrom("deposit", "mint", "withdraw", "redeem");
    const previews = {
      deposit: "previewDeposit",
      mint: "previewMint",
      withdraw: "previewWithdraw",
      redeem: "previewRedeem",
    };
    fc.assert(
      fc.property(fc.array(fc.tuple(kind, amount), { minLength: 1, maxLength: 6 }), (steps) => {
        for (const [name, size] of steps) {
          const worth = () =>
            [vault.get("totalAssets") as bigint, vault.get("totalSupply") as bigint] as const;
          const [assets, shares] = worth();
          const preview = vault.get(previews[name as keyof typeof previews], size);
          const isIn = name === "deposit" || name === "mint";
          const { value, error } = vault.send(asBob, name, size, BOB, ...(isIn ? [] : [BOB]));
          if (error === undefined) equal(value, preview);
          const [assetsAfter, sharesAfter] = worth();
          // (assets + 1) / (shares + 1000) never falls
          ok((assetsAfter + 1n) * (shares + 1_000n) >= (assets + 1n) * (sharesAfter + 1_000n));
        }
      }),
      { numRuns: 20 },
    );
  });

  it("lets no asset come back while it pays", async () => {
    for (const [call, signature] of [
      ["deposit(1n, self.address)", 'deposit: "(uint256 assets, address receiver) returns (uint256)"'],
      ["convertToAssets(1n)", 'convertToAssets: "(uint256 shares) view returns (uint256)"'],
    ]) {
      const world = new LibraryWorld();
      const asset = world.hostile(
        ...strangeToken(
          `if (t.target !== ZERO) Vault(t.target).${call}; if (from !== ZERO && t.balances.get(from) >= value) move(from, to, value);`,
          `const Vault = iface({ ${signature} });`,
        ),
      );
      const vault = await world.create("vault", [asset, "x", "x"]);
      vault.must({}, "deposit", 0n, ALICE);
      new Deployed(world, asset, STRANGE_ABI).must({}, "arm", vault.address);
      deepEqual(vault.send({}, "deposit", 1n, ALICE).error, [REENTRANT]);
      deepEqual(vault.send({}, "redeem", 0n, ALICE, ALICE).error, [REENTRANT]);
    }
  });
});
