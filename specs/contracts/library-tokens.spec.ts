/** specs/contracts/library.md: tokens, and who may do what. */
import { deepEqual, equal } from "node:assert/strict";
import {
  concatHex,
  encodeAbiParameters,
  erc20Abi,
  erc721Abi,
  erc4626Abi,
  type Hex,
  hashTypedData,
  keccak256,
  parseAbiParameters,
  stringToHex,
  toEventSelector,
  toFunctionSelector,
} from "viem";
import { sign } from "viem/accounts";
import { type Address, fromHex } from "../../primitives/bytes.ts";
import { privateKeyToAddress } from "../../primitives/secp256k1.ts";
import { ALICE, BOB, blockEnvironment } from "../vm/contract/sandbox.ts";
import { type Deployed, example, LibraryWorld, MAX, ZERO } from "./library-world.ts";

const asBob = { from: BOB };
/** ReentrancyGuardReentrantCall(), which the chain throws. */
const REENTRANT = toFunctionSelector("function ReentrancyGuardReentrantCall()");
const CAROL: Address = `0x${"ca".repeat(20)}`;

describe("library: ERC-20 and permit", function () {
  this.timeout(30_000);
  const token = (world = new LibraryWorld()) => world.create("token", ["Jurat", "JUR", 1_000n]);

  it("never makes or loses tokens, to oneself neither", async () => {
    const at = await token();
    at.must({}, "transfer", ALICE, 400n);
    equal(at.get("balanceOf", ALICE), 1_000n);
    at.must({}, "transfer", BOB, 1_000n);
    deepEqual(
      [at.get("balanceOf", ALICE), at.get("balanceOf", BOB), at.get("totalSupply")],
      [0n, 1_000n, 1_000n],
    );
  });

  it("refuses to overflow supply or balance, and to spend what is not there", async () => {
    const at = await token();
    deepEqual(at.send({}, "mint", BOB, MAX).error, ["Panic", 0x11n]);
    deepEqual(at.send({}, "burn", 1_001n).error, ["ERC20InsufficientBalance", ALICE, 1_000n, 1_001n]);
    deepEqual(at.send(asBob, "transferFrom", ALICE, BOB, 1n).error, [
      "ERC20InsufficientAllowance",
      BOB,
      0n,
      1n,
    ]);
    deepEqual(at.send({ value: 1n }, "transfer", BOB, 1n).error, ["Error", "the function takes no value"]);
    equal(at.get("totalSupply"), 1_000n);
  });

  const KEY: Hex = `0x${"0b".repeat(32)}`;
  const SIGNER = privateKeyToAddress(fromHex(KEY));
  const DEADLINE = BigInt(blockEnvironment.timestamp) + 60n;

  async function signed(
    at: Deployed,
    nonce: bigint,
    overrides: { chainId?: number; contract?: Address } = {},
  ) {
    const hash = hashTypedData({
      domain: {
        name: "Jurat",
        version: "1",
        chainId: overrides.chainId ?? Number(blockEnvironment.chainId),
        verifyingContract: overrides.contract ?? at.address,
      },
      types: {
        Permit: [
          { name: "owner", type: "address" },
          { name: "spender", type: "address" },
          { name: "value", type: "uint256" },
          { name: "nonce", type: "uint256" },
          { name: "deadline", type: "uint256" },
        ],
      },
      primaryType: "Permit",
      message: { owner: SIGNER, spender: BOB, value: 9n, nonce, deadline: DEADLINE },
    });
    const { r, s, v } = await sign({ hash, privateKey: KEY });
    return [Number(v), r, s] as const;
  }

  const permit = (at: Deployed, signature: readonly unknown[], owner = SIGNER, spender = BOB) =>
    at.send(asBob, "permit", owner, spender, 9n, DEADLINE, ...signature);

  it("takes a permit once", async () => {
    const at = await token();
    const signature = await signed(at, 0n);
    deepEqual(permit(at, signature).error, undefined);
    deepEqual([at.get("allowance", SIGNER, BOB), at.get("nonces", SIGNER)], [9n, 1n]);
    equal(permit(at, signature).error?.[0], "ERC2612InvalidSigner");
    equal(permit(at, await signed(at, 1n)).error, undefined);
  });

  it("refuses permits of others, for others, of other chains and contracts, and altered signatures", async () => {
    const at = await token();
    const [v, r, s] = await signed(at, 0n);
    const order = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;
    const highS = `0x${(order - BigInt(s)).toString(16).padStart(64, "0")}`;
    const refused = [
      permit(at, [v, r, s], ALICE),
      permit(at, [v, r, s], SIGNER, CAROL),
      permit(at, await signed(at, 0n, { chainId: 1 })),
      permit(at, await signed(at, 0n, { contract: CAROL })),
      permit(at, [55 - v, r, highS]),
      permit(at, [v, r, `0x${"00".repeat(32)}`], ZERO),
    ];
    deepEqual(
      refused.map(({ error }) => error?.[0]),
      refused.map(() => "ERC2612InvalidSigner"),
    );
    equal(permit(at, [v, r, s]).error, undefined);
    at.world.passSeconds(61);
    deepEqual(permit(at, await signed(at, 1n)).error, ["ERC2612ExpiredSignature", DEADLINE]);
  });
});

describe("library: ERC-721, roles and pausing", function () {
  this.timeout(30_000);
  const collection = (world = new LibraryWorld()) =>
    world.create("collectible", ["Cats", "CAT", "ipfs://cats/"]);

  it("gives each token one owner, and tells its name", async () => {
    const at = await collection();
    deepEqual(at.must({}, "safeMint", BOB).events, [["Transfer", { from: ZERO, to: BOB, tokenId: 0n }]]);
    equal(at.must({}, "safeMint", BOB).value, 1n);
    deepEqual(
      [at.get("ownerOf", 1n), at.get("balanceOf", BOB), at.get("tokenURI", 1n)],
      [BOB, 2n, "ipfs://cats/1"],
    );
    deepEqual(at.send({}, "ownerOf", 7n).error, ["ERC721NonexistentToken", 7n]);
    deepEqual(
      ["0x01ffc9a7", "0x80ac58cd", "0x5b5e139f", "0xffffffff"].map((id) => at.get("supportsInterface", id)),
      [true, true, true, false],
    );
  });

  it("moves a token for its owner, for whom it is approved, and for operators, and for nobody else", async () => {
    const at = await collection();
    for (let i = 0; i < 3; i++) at.must({}, "safeMint", BOB);
    deepEqual(at.send({}, "transferFrom", BOB, ALICE, 0n).error, ["ERC721InsufficientApproval", ALICE, 0n]);
    deepEqual(at.send({}, "approve", ALICE, 0n).error, ["ERC721InvalidApprover", ALICE]);
    at.must(asBob, "approve", ALICE, 0n);
    deepEqual(at.send({}, "transferFrom", CAROL, ALICE, 0n).error, ["ERC721IncorrectOwner", CAROL, 0n, BOB]);
    at.must({}, "transferFrom", BOB, CAROL, 0n);
    // The approval went with the owner who gave it.
    deepEqual(at.send({}, "transferFrom", CAROL, ALICE, 0n).error, ["ERC721InsufficientApproval", ALICE, 0n]);
    equal(at.get("getApproved", 0n), ZERO);
    at.must(asBob, "setApprovalForAll", ALICE, true);
    at.must({}, "safeTransferFrom", BOB, CAROL, 1n);
    at.must(asBob, "setApprovalForAll", ALICE, false);
    deepEqual(at.send({}, "burn", 2n).error, ["Error", "only its owner burns a token"]);
    deepEqual(at.send(asBob, "transferFrom", BOB, ZERO, 2n).error, ["ERC721InvalidReceiver", ZERO]);
    at.must(asBob, "burn", 2n);
    deepEqual([at.get("balanceOf", BOB), at.get("balanceOf", CAROL)], [0n, 2n]);
  });

  it("asks contracts whether they can hold a token, and trusts no other answer", async () => {
    const world = new LibraryWorld();
    const at = await collection(world);
    at.must({}, "safeMint", ALICE);
    const answering = (body: string) =>
      world.hostile(
        `functions: { onERC721Received: external("(address o, address f, uint256 i, bytes d) returns (bytes4)", (o, f, i, d) => { ${body} }) }`,
      );
    const to = (receiver: Address, data: Hex = "0x") =>
      at.send({}, "safeTransferFrom", ALICE, receiver, 0n, data).error;
    const wrong = answering('return "0x12345678";');
    const silent = world.hostile('fallback: () => "0x"');
    const loud = answering('throw new Error("not for me");');
    deepEqual(to(wrong), ["ERC721InvalidReceiver", wrong]);
    deepEqual(to(silent), ["ERC721InvalidReceiver", silent]);
    deepEqual(to(loud), ["Error", "not for me"]);
    equal(at.get("ownerOf", 0n), ALICE);
    const good = answering('if (d !== "0x77") throw new Error("no data"); return "0x150b7a02";');
    equal(to(good, "0x77"), undefined);
    equal(at.get("ownerOf", 0n), good);
  });

  it("cannot be minted from twice by a receiver that comes back", async () => {
    const world = new LibraryWorld();
    const at = await collection(world);
    const greedy = world.hostile(
      `functions: { onERC721Received: external("(address o, address f, uint256 i, bytes d) returns (bytes4)", () => {
         Collectible(msg.sender).safeMint(self.address); return "0x150b7a02"; }) }`,
      'const Collectible = iface({ safeMint: "(address to) returns (uint256)" });',
    );
    at.must({}, "grantRole", at.get("MINTER_ROLE"), greedy);
    deepEqual(at.send({}, "safeMint", greedy).error, [REENTRANT]);
    equal(at.must({}, "safeMint", BOB).value, 0n);
  });

  it("lets roles be granted by those who have their admin role, and renounced by nobody else", async () => {
    const at = await collection();
    const minter = at.get("MINTER_ROLE") as Hex;
    const admin = at.get("DEFAULT_ADMIN_ROLE") as Hex;
    deepEqual(at.send(asBob, "safeMint", BOB).error, ["AccessControlUnauthorizedAccount", BOB, minter]);
    deepEqual(at.send(asBob, "grantRole", minter, BOB).error, [
      "AccessControlUnauthorizedAccount",
      BOB,
      admin,
    ]);
    equal(minter, keccak256(stringToHex("MINTER_ROLE")));
    deepEqual(at.must({}, "grantRole", minter, BOB).events, [
      ["RoleGranted", { role: minter, account: BOB, sender: ALICE }],
    ]);
    at.must(asBob, "safeMint", BOB);
    deepEqual(at.send(asBob, "renounceRole", minter, ALICE).error, ["AccessControlBadConfirmation"]);
    at.must(asBob, "renounceRole", minter, BOB);
    at.must({}, "revokeRole", minter, ALICE);
    deepEqual([at.get("hasRole", minter, BOB), at.get("hasRole", minter, ALICE)], [false, false]);
  });

  it("stops what changes state while it is paused, and nothing else", async () => {
    const at = await collection();
    at.must({}, "safeMint", ALICE);
    equal(at.send(asBob, "pause").error?.[0], "AccessControlUnauthorizedAccount");
    deepEqual(at.must({}, "pause").events, [["Paused", { account: ALICE }]]);
    for (const call of [
      ["transferFrom", ALICE, BOB, 0n],
      ["approve", BOB, 0n],
      ["burn", 0n],
      ["safeMint", BOB],
    ]) {
      deepEqual(at.send({}, ...(call as [string, ...unknown[]])).error, ["EnforcedPause"]);
    }
    deepEqual([at.get("ownerOf", 0n), at.get("paused")], [ALICE, true]);
    deepEqual(at.send({}, "pause").error, ["EnforcedPause"]);
    at.must({}, "unpause");
    deepEqual(at.send({}, "unpause").error, ["ExpectedPause"]);
    at.must({}, "transferFrom", ALICE, BOB, 0n);
  });
});

describe("library: ERC-1155, Merkle proofs and ownership", function () {
  this.timeout(30_000);
  const leafOf = (account: Address, id: bigint, value: bigint) =>
    keccak256(
      keccak256(encodeAbiParameters(parseAbiParameters("address, uint256, uint256"), [account, id, value])),
    );
  const pair = (a: Hex, b: Hex) => keccak256(BigInt(a) < BigInt(b) ? concatHex([a, b]) : concatHex([b, a]));
  // root - ab - a (Bob, 3 of item 5), b (Carol, 1 of item 6)
  //      \ c (Alice, 2 of item 5)
  const a = leafOf(BOB, 5n, 3n);
  const b = leafOf(CAROL, 6n, 1n);
  const c = leafOf(ALICE, 5n, 2n);
  const root = pair(pair(a, b), c);
  const items = (world = new LibraryWorld()) => world.create("items", ["https://items/{id}", root]);

  it("gives those on the list what is theirs, once, and nobody else", async () => {
    const at = await items();
    deepEqual(at.must(asBob, "claim", 5n, 3n, [b, c]).events, [
      ["TransferSingle", { operator: BOB, from: ZERO, to: BOB, id: 5n, value: 3n }],
    ]);
    deepEqual(at.send(asBob, "claim", 5n, 3n, [b, c]).error, ["AlreadyClaimed", BOB, 5n, 3n]);
    deepEqual(at.send(asBob, "claim", 5n, 4n, [b, c]).error, ["NotOnList", BOB, 5n, 4n]);
    deepEqual(at.send({}, "claim", 5n, 3n, [b, c]).error, ["NotOnList", ALICE, 5n, 3n]);
    deepEqual(at.send({}, "claim", 5n, 2n, []).error, ["NotOnList", ALICE, 5n, 2n]);
    at.must({}, "claim", 5n, 2n, [pair(a, b)]);
    deepEqual(at.get("balanceOfBatch", [ALICE, BOB], [5n, 5n]), [2n, 3n]);
  });

  it("moves batches whole or not at all, and only for owner and operators", async () => {
    const at = await items();
    at.must({}, "mintBatch", BOB, [1n, 2n], [10n, 20n], "0x");
    const move = (from: Address, values: bigint[], ids = [1n, 2n]) =>
      at.send({ from }, "safeBatchTransferFrom", BOB, CAROL, ids, values, "0x").error;
    deepEqual(move(ALICE, [1n, 1n]), ["ERC1155MissingApprovalForAll", ALICE, BOB]);
    deepEqual(move(BOB, [1n]), ["ERC1155InvalidArrayLength", 2n, 1n]);
    deepEqual(move(BOB, [10n, 21n]), ["ERC1155InsufficientBalance", BOB, 20n, 21n, 2n]);
    deepEqual(move(BOB, [6n, 5n], [1n, 1n]), ["ERC1155InsufficientBalance", BOB, 4n, 5n, 1n]);
    equal(at.get("balanceOf", BOB, 1n), 10n);
    equal(move(BOB, [10n, 20n]), undefined);
    deepEqual(at.get("balanceOfBatch", [BOB, CAROL, CAROL], [1n, 1n, 2n]), [0n, 10n, 20n]);
    at.must({ from: CAROL }, "setApprovalForAll", ALICE, true);
    at.must({}, "safeTransferFrom", CAROL, CAROL, 1n, 10n, "0x");
    equal(at.get("balanceOf", CAROL, 1n), 10n);
    deepEqual(at.send({}, "mint", CAROL, 1n, MAX, "0x").error, ["Panic", 0x11n]);
  });

  it("asks contracts whether they can hold items, and lets none come back", async () => {
    const world = new LibraryWorld();
    const at = await items(world);
    const receiver = (body: string, before = "") =>
      world.hostile(
        `functions: {
           onERC1155Received: external("(address o, address f, uint256 i, uint256 v, bytes d) returns (bytes4)", (o, f, i, v, d) => { ${body} }),
           onERC1155BatchReceived: external("(address o, address f, uint256[] i, uint256[] v, bytes d) returns (bytes4)", () => "0xbc197c81"),
         }`,
        before,
      );
    const give = (to: Address) => at.send({}, "mint", to, 1n, 5n, "0x").error;
    const wrong = receiver('return "0xbc197c81";');
    deepEqual(give(wrong), ["ERC1155InvalidReceiver", wrong]);
    const returning = receiver(
      'Items(msg.sender).safeTransferFrom(self.address, f, i, v, d); return "0xf23a6e61";',
      'const Items = iface({ safeTransferFrom: "(address from, address to, uint256 id, uint256 value, bytes data)" });',
    );
    deepEqual(give(returning), [REENTRANT]);
    const good = receiver('return "0xf23a6e61";');
    equal(give(good), undefined);
    equal(at.send({}, "mintBatch", good, [1n], [2n], "0x").error, undefined);
    equal(at.get("balanceOf", good, 1n), 7n);
  });

  it("obeys its owner only, and after renouncing nobody", async () => {
    const at = await items();
    deepEqual(at.send(asBob, "mint", BOB, 1n, 1n, "0x").error, ["OwnableUnauthorizedAccount", BOB]);
    deepEqual(at.send(asBob, "transferOwnership", BOB).error, ["OwnableUnauthorizedAccount", BOB]);
    deepEqual(at.send({}, "transferOwnership", ZERO).error, ["OwnableInvalidOwner", ZERO]);
    deepEqual(at.must({}, "transferOwnership", BOB).events, [
      ["OwnershipTransferred", { previousOwner: ALICE, newOwner: BOB }],
    ]);
    at.must(asBob, "mint", BOB, 1n, 1n, "0x");
    at.must(asBob, "renounceOwnership");
    equal(at.get("owner"), ZERO);
    deepEqual(at.send(asBob, "mint", BOB, 1n, 1n, "0x").error, ["OwnableUnauthorizedAccount", BOB]);
  });
});

describe("library: interfaces", function () {
  this.timeout(30_000);

  it("are those of the standards, as viem knows them", async () => {
    const selectors = (abi: readonly { type: string }[]) =>
      abi.flatMap((item) =>
        item.type === "function"
          ? [toFunctionSelector(item as never)]
          : item.type === "event"
            ? [toEventSelector(item as never)]
            : [],
      );
    for (const [name, standard] of [
      ["token", erc20Abi],
      [
        "collectible",
        erc721Abi.filter(
          (item) =>
            !("name" in item) || !["tokenByIndex", "totalSupply", "tokenOfOwnerByIndex"].includes(item.name),
        ),
      ],
      ["vault", erc4626Abi],
    ] as const) {
      const own = new Set(selectors((await example(name)).abi as never));
      deepEqual(
        selectors(standard).filter((selector) => !own.has(selector)),
        [],
        name,
      );
    }
  });
});
