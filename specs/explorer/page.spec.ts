import { deepEqual, equal, match } from "node:assert/strict";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import {
  type Abi,
  createPublicClient,
  createWalletClient,
  defineChain,
  encodeFunctionData,
  type Hex,
  http,
} from "viem";
import { privateKeyToAccount } from "viem/accounts";
import { buildContract } from "../../contracts/build/build-contract.ts";
import { deriveDevAccounts } from "../../primitives/dev-accounts.ts";
import { startBrowser } from "../support/browser.ts";
import { startLyingProxy } from "../support/lying-proxy.ts";
import { type SingleNode, startSingleNode } from "../support/single-node.ts";
import { PROJECT_ROOT } from "../support/vectors.ts";

/** A condition that does not come true in this time will not. */
const GIVE_UP_MS = 30_000;

const [alice, bob] = deriveDevAccounts();

/** Announces a wallet (EIP-6963) whose requests this process answers. Run in the page, before its own script. */
const ANNOUNCE_WALLET = `
  const provider = { request: ({ method, params }) => window.walletRequest(method, params) };
  const detail = Object.freeze({ info: { uuid: "1", name: "Test wallet" }, provider });
  const announce = () => dispatchEvent(new CustomEvent("eip6963:announceProvider", { detail }));
  addEventListener("eip6963:requestProvider", announce);
`;

/** Waits until a figure of the live page is what `fits` says. */
async function untilFigure(page: Page, figure: string, fits: RegExp): Promise<void> {
  await page.locator(`[data-figure=${figure}]`, { hasText: fits }).waitFor();
}

async function readSupply(at: Page): Promise<void> {
  await at.click("role=tab[name=read]");
  await at.click("[data-function=totalSupply] button");
}

describe("the explorer in a browser", function () {
  this.timeout(120_000);
  let browser: Browser;
  let node: SingleNode;
  let page: Page;
  /** What the page complained about: nothing, in the end. */
  const complaints: string[] = [];
  let token: { readonly address: Hex; readonly abi: Abi };
  let transferHash: Hex;
  let failedHash: Hex;

  const account = privateKeyToAccount(alice!.privateKey);
  const clients = () => {
    const nativeCurrency = { name: "Jurat", symbol: "JUR", decimals: 18 };
    const chain = defineChain({
      ...{ id: node.chainId, name: "jurat", nativeCurrency },
      rpcUrls: { default: { http: [node.url] } },
    });
    const transport = http(node.url);
    return {
      wallet: createWalletClient({ account, chain, transport }),
      reader: createPublicClient({ chain, transport, pollingInterval: 100 }),
    };
  };

  before(async function () {
    browser = await startBrowser(this);
    node = await startSingleNode({ flags: ["--explorer", "--address-index"] });
    const { wallet, reader } = clients();
    token = await deploy("token", ["Token", "TKN", 1_000_000n]);
    const transfer = { ...token, functionName: "transfer" };
    transferHash = await wallet.writeContract({ ...transfer, args: [bob!.address, 1234n] });
    await reader.waitForTransactionReceipt({ hash: transferHash });
    failedHash = await wallet.writeContract({ ...transfer, args: [bob!.address, 5_000_000n], gas: 200_000n });
    await reader.waitForTransactionReceipt({ hash: failedHash });

    page = await (await browser.newContext()).newPage();
    page.setDefaultTimeout(GIVE_UP_MS);
    page.on("console", (message) => {
      if (["error", "warning"].includes(message.type())) complaints.push(message.text());
    });
    page.on("pageerror", (error) => complaints.push(String(error)));
  });

  after(async () => {
    await browser?.close();
    await node?.stop();
  });

  async function deploy(name: string, args: readonly unknown[]): Promise<{ address: Hex; abi: Abi }> {
    const { wallet, reader } = clients();
    const { abi, bytecode } = await buildContract(join(PROJECT_ROOT, `contracts/examples/${name}.ts`), {
      typeCheck: false,
    });
    const hash = await wallet.deployContract({ abi: abi as Abi, bytecode: bytecode as Hex, args });
    const { contractAddress } = await reader.waitForTransactionReceipt({ hash });
    return { address: contractAddress!, abi: abi as Abi };
  }

  async function write(call: { address: Hex; abi: Abi; functionName: string; args: readonly unknown[] }) {
    const { wallet, reader } = clients();
    const { status } = await reader.waitForTransactionReceipt({ hash: await wallet.writeContract(call) });
    equal(status, "success");
  }

  const open = (path: string) => page.goto(`${node.url}/#${path}`);
  const textOf = async (selector: string) => (await page.locator(selector).first().textContent()) ?? "";

  it("follows a running chain: new blocks, finality, votes", async () => {
    await open("/");
    await untilFigure(page, "block", /^\d/);
    const first = await textOf("[data-figure=block]");
    await untilFigure(page, "block", new RegExp(`^(?!${first}$)\\d`));
    await untilFigure(page, "participation", /^4 of 4$/);
    await page.waitForSelector("svg.tree a.final");
    await page.waitForSelector("svg.tree a.head");
    equal(await page.locator("canvas").count(), 3);
    equal(await page.locator(".votes").count(), 4);
  });

  it("finds a block, a transaction and an address from one box", async () => {
    for (const [query, expected] of [
      ["1", "/block/1"],
      [transferHash, `/tx/${transferHash}`],
      [token.address, `/address/${token.address}`],
    ] as const) {
      await page.fill("input[type=search]", query);
      await page.press("input[type=search]", "Enter");
      await page.waitForURL(`**/#${expected}`);
    }
    await page.fill("input[type=search]", "no such thing");
    await page.press("input[type=search]", "Enter");
    match(await textOf("search [role=alert]"), /nothing found for “no such thing”/);
  });

  it("shows a transaction decoded: call, event, calls, state changes", async () => {
    await open(`/tx/${transferHash}`);
    await page.waitForSelector("[data-status='0x1']");
    const calls = await textOf(".calls li");
    match(calls, /Token transfer\(0x70997970C51812dc3A010C7d01b50e0d17dc79C8, 1234\)/);
    const text = (await page.locator("main").textContent()) ?? "";
    match(text, /Transfer.*from.*0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266.*value.*1234/s);
    await page.waitForSelector("text=State changes");
    await page.locator("td", { hasText: "slot 0x" }).nth(1).waitFor();
    await page.waitForSelector("[data-gas-lines] .line .gas");
  });

  it("says why a transaction failed, in the contract's words", async () => {
    await open(`/tx/${failedHash}`);
    await page.waitForSelector("[data-status='0x0']");
    match(await textOf("[data-reason]"), /ERC20InsufficientBalance\(sender: 0xf39F.*needed: 5000000\)/);
  });

  it("shows what an account took part in, also where it only got tokens", async () => {
    await open(`/address/${bob!.address}`);
    await page
      .locator("td a", { hasText: transferHash.slice(0, 8) })
      .first()
      .waitFor();
    await page.waitForSelector("text=That is all of them.");
  });

  it("shows a contract: token, source as stored, storage by name, compared sources", async () => {
    await open(`/address/${token.address}`);
    await page.waitForSelector("[data-token=symbol]");
    equal(await textOf("[data-token=symbol]"), "TKN");
    await page
      .locator("td a", { hasText: transferHash.slice(0, 8) })
      .first()
      .waitFor();
    await page.click("role=tab[name=source]");
    match(await textOf("pre.source"), /contract\(\{/);
    await page.click("role=tab[name=storage]");
    await page.locator("[data-storage]", { hasText: '"TKN"' }).waitFor();
    await open(`/compare/${token.address}/${token.address}`);
    await page.waitForSelector("text=The same source");
  });

  it("has a page for each standard of tokens", async () => {
    const collectible = await deploy("collectible", ["Cats", "CAT", "ipfs://"]);
    await write({ ...collectible, functionName: "safeMint", args: [account.address] });
    const items = await deploy("items", ["ipfs://{id}", `0x${"00".repeat(32)}`]);
    await write({ ...items, functionName: "mint", args: [account.address, 3n, 5n, "0x"] });
    for (const [{ address }, standard, shown] of [
      [collectible, "ERC-721", /tokenId 0/],
      [items, "ERC-1155", /value 5/],
      [token, "ERC-20", /value 1234/],
    ] as const) {
      await open(`/address/${address}`);
      await page.locator("dl.facts dd", { hasText: new RegExp(`^${standard}$`) }).waitFor();
      await page.locator("tr", { hasText: shown }).first().waitFor();
    }
  });

  it("looks through a proxy, and shows what differs between two sources", async () => {
    const implementation = await deploy("proxied-counter", []);
    const initialize = { abi: implementation.abi, functionName: "initialize", args: [account.address, 4n] };
    const proxied = await deploy("proxy", [implementation.address, encodeFunctionData(initialize)]);
    await open(`/address/${proxied.address}`);
    await page.waitForSelector("text=A proxy; its code is");
    await page.click("role=tab[name=read]");
    await page.click("[data-function=count] button");
    await page.locator("[data-result=count]", { hasText: /^0$/ }).waitFor();
    await open(`/compare/${proxied.address}/${implementation.address}`);
    await page.locator("h2", { hasText: /^\d+ lines differ$/ }).waitFor();
    await page.waitForSelector("pre.source .line.added");
  });

  it("reads a function through its form", async () => {
    await open(`/address/${token.address}`);
    await page.click("role=tab[name=read]");
    await page.fill("[data-function=balanceOf] input", bob!.address);
    await page.press("[data-function=balanceOf] input", "Enter");
    await page.waitForSelector("[data-result=balanceOf]");
    match(await textOf("[data-result=balanceOf]"), /^1234$/);
    await page.fill("[data-function=balanceOf] input", "not an address");
    await page.press("[data-function=balanceOf] input", "Enter");
    match(await textOf("[data-function=balanceOf] [role=alert]"), /address: expected 0x and 40 hex digits/);
  });

  it("writes through a wallet that announces itself, and the chain has it", async () => {
    const { wallet, reader } = clients();
    await page.exposeFunction("walletRequest", async (method: string, params: readonly unknown[] = []) => {
      if (method === "eth_requestAccounts") return [account.address];
      if (method === "eth_chainId") return `0x${node.chainId.toString(16)}`;
      const [{ to, data, value }] = params as [{ to: Hex; data: Hex; value: Hex }];
      return wallet.sendTransaction({ to, data, value: BigInt(value) });
    });
    await page.addInitScript(ANNOUNCE_WALLET);
    await page.reload();
    await page.click("role=tab[name=write]");
    await page.click("text=connect Test wallet");
    await page.waitForSelector(`text=${account.address}`);
    await page.fill("[data-function=transfer] label:nth-of-type(1) input", bob!.address);
    await page.fill("[data-function=transfer] label:nth-of-type(2) input", "66");
    await page.click("[data-function=transfer] button");
    await page.waitForSelector("[data-function=transfer] output a");
    const hash = (await page.locator("[data-function=transfer] output a").getAttribute("title")) as Hex;
    equal((await reader.waitForTransactionReceipt({ hash })).status, "success");
    const balance = await reader.readContract({ ...token, functionName: "balanceOf", args: [bob!.address] });
    equal(balance, 1300n);
  });

  it("proves finality, balances, storage and reads by itself", async () => {
    await open("/");
    await page.waitForSelector("[data-proof=following]");
    await open(`/address/${account.address}`);
    await page.waitForSelector("dl.facts [data-mark=verified]");
    await open(`/address/${token.address}`);
    await page.click("role=tab[name=storage]");
    await page.waitForSelector("dd:has([data-storage]) [data-mark=verified]");
    await page.click("role=tab[name=read]");
    await page.click("[data-function=totalSupply] button");
    await page.waitForSelector("[data-function=totalSupply] [data-mark=verified]");
    match(
      await textOf("[data-function=totalSupply] output"),
      /1000000.*verified.*\d gas, proven as of final block/,
    );
    equal(await page.locator("[data-mark=lie]").count(), 0);
  });

  it("proves a block and a transaction once they are final", async () => {
    await open(`/tx/${transferHash}`);
    await page.waitForSelector("h1 [data-mark=verified]");
    await open("/block/1");
    await page.waitForSelector("h1 [data-mark=verified]");
  });

  it("catches a node that lies about a balance, a word of storage, a result or its gas", async () => {
    const more = (hex: unknown) => `0x${(BigInt(String(hex)) + 1n).toString(16)}`;
    const padded = (hex: unknown) => `0x${(BigInt(String(hex)) + 1n).toString(16).padStart(64, "0")}`;
    const lookAtTransfer = async (at: Page) => {
      await at.goto(at.url().replace(/#.*$/, `#/tx/${transferHash}`));
    };
    const lies: readonly (readonly [string, (result: never) => unknown, (at: Page) => Promise<unknown>])[] = [
      ["eth_getBalance", more, async () => undefined],
      ["eth_getStorageAt", padded, (at) => at.click("role=tab[name=storage]")],
      ["eth_call", padded, readSupply],
      ["eth_getTransactionReceipt", (receipt: object) => ({ ...receipt, status: "0x0" }), lookAtTransfer],
      [
        "jurat_getWitness",
        (witness: { gasUsed: Hex }) => ({ ...witness, gasUsed: more(witness.gasUsed) }),
        readSupply,
      ],
    ];
    let lied: (typeof lies)[number] | undefined;
    const proxy = await startLyingProxy(node.url, ({ method }, result) =>
      method === lied?.[0] ? lied[1](result as never) : result,
    );
    const liedTo = await browser.newPage();
    liedTo.setDefaultTimeout(GIVE_UP_MS);
    try {
      await liedTo.goto(`${proxy.url}/#/address/${token.address}`);
      await liedTo.waitForSelector("[data-mark=verified]");
      for (lied of lies) {
        await liedTo.goto(`${proxy.url}/#/address/${token.address}`);
        await liedTo.reload();
        await liedTo.waitForSelector("role=tab[name=read]");
        await lied[2](liedTo);
        await liedTo.waitForSelector("[data-mark=lie]");
      }
    } finally {
      await liedTo.close();
      await proxy.close();
    }
  });

  it("catches a node that claims finality without the votes", async () => {
    const proxy = await startLyingProxy(node.url, ({ method }, result) => {
      const { certificate, ...rest } = result as { certificate: { votes: { participants: Hex }[] } };
      if (method !== "jurat_getFinalizedBlock") return result;
      const votes = certificate.votes.map((each) => ({ ...each, participants: "0x01" }));
      return { ...rest, certificate: { ...certificate, votes } };
    });
    const liedTo = await browser.newPage();
    try {
      await liedTo.goto(`${proxy.url}/#/`);
      match((await liedTo.locator("[data-proof=lie]").textContent()) ?? "", /LIGHT_TOO_FEW_VOTES/);
    } finally {
      await liedTo.close();
      await proxy.close();
    }
  });

  it("says when the node is gone, and follows it again when it is back", async () => {
    const honest = (_request: unknown, result: unknown) => result;
    const proxy = await startLyingProxy(node.url, honest);
    const watching = await browser.newPage();
    watching.setDefaultTimeout(GIVE_UP_MS);
    try {
      await watching.goto(`${proxy.url}/#/`);
      await untilFigure(watching, "block", /^\d/);
      await proxy.close();
      await watching.waitForSelector("text=The node does not answer");
      const before = (await watching.locator("[data-figure=block]").textContent()) ?? "";
      const back = await startLyingProxy(node.url, honest, proxy.port);
      try {
        await watching.waitForSelector("text=The node does not answer", { state: "detached" });
        await untilFigure(watching, "block", new RegExp(`^(?!${before}$)\\d`));
      } finally {
        await back.close();
      }
    } finally {
      await watching.close();
    }
  });

  it("fits a phone and can be used by keyboard", async () => {
    await page.setViewportSize({ width: 360, height: 740 });
    for (const path of ["/", `/tx/${transferHash}`, `/address/${token.address}`, "/validators"]) {
      await open(path);
      await page.waitForSelector("main .card");
      const root = "document.documentElement";
      equal(await page.evaluate(`${root}.scrollWidth - ${root}.clientWidth`), 0, path);
    }
    await page.keyboard.press("Tab");
    equal(await page.evaluate("document.activeElement !== document.body"), true);
    await page.setViewportSize({ width: 1200, height: 800 });
  });

  it("has nothing to complain about in its console", () => {
    deepEqual(complaints, []);
  });
});
