import { deepEqual, equal, rejects, throws } from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { nextStep } from "../../contracts/build/next-step.ts";
import { parseChainSpec } from "../../node/chain-spec.ts";
import { ZERO_HASH } from "../../primitives/bytes.ts";
import { deriveDevAccounts } from "../../primitives/dev-accounts.ts";
import { OtherChainError, prepareNetwork } from "../../testnet/network-files.ts";
import { CommanderError, parseTestnetOptions } from "../../testnet/options.ts";
import { assertPortsFree, PortInUseError, portsOf } from "../../testnet/ports.ts";
import { renderLine, renderTable, type TestnetView } from "../../testnet/table.ts";
import { PROJECT_ROOT } from "../support/vectors.ts";

/** Runs `action` with stderr silenced: commander writes its complaints there. */
function silently<T>(action: () => T): T {
  const write = process.stderr.write;
  process.stderr.write = () => true;
  try {
    return action();
  } finally {
    process.stderr.write = write;
  }
}

describe("testnet flags", () => {
  it("have the documented defaults", () => {
    deepEqual(parseTestnetOptions([]), {
      nodes: 4,
      validatorsPerNode: 1,
      slotSeconds: 1,
      dir: ".jurat/testnet",
      reset: false,
      scenario: [],
      basePort: 8545,
      chainId: 8700,
      explorer: true,
      json: false,
    });
  });

  it("are refused when unknown, out of range, or a chain id of other tools", () => {
    for (const wrong of [
      ["--node", "4"],
      ["--nodes", "0"],
      ["--nodes", "four"],
      ["--slot-seconds", "0.5"],
      ["--chain-id", "1337"],
      ["--chain-id", "31337"],
      ["--base-port", "80"],
      ["surprise"],
    ]) {
      silently(() => throws(() => parseTestnetOptions(wrong), CommanderError, wrong.join(" ")));
    }
  });
});

describe("testnet files", () => {
  let root: string;
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), "jurat-testnet-"));
  });
  afterEach(() => rmSync(root, { recursive: true, force: true }));

  const optionsIn = (dir: string, ...more: string[]) => parseTestnetOptions(["--dir", dir, ...more]);

  it("begin a chain once and continue it with the same flags", () => {
    const dir = join(root, "net");
    const first = prepareNetwork(optionsIn(dir), 1_800_000_000, {});
    equal(first.isNew, true);
    const spec = readFileSync(first.specPath, "utf8");
    const again = prepareNetwork(optionsIn(dir), 1_900_000_000, {});
    equal(again.isNew, false);
    equal(again.description.genesisTime, 1_800_000_000);
    equal(readFileSync(again.specPath, "utf8"), spec);
  });

  it("are a chain spec the node reads, with four validators and ten funded accounts", () => {
    const { specPath } = prepareNetwork(optionsIn(join(root, "net")), 1_800_000_000, {});
    const spec = parseChainSpec(readFileSync(specPath, "utf8"), specPath);
    equal(spec.chainId, 8700);
    equal(spec.params.leakEnabled, false);
    equal(spec.validators.length, 4);
    deepEqual(
      Object.keys(spec.alloc),
      deriveDevAccounts().map(({ address }) => address),
    );
  });

  it("refuse flags of another chain, and forget it with --reset", () => {
    const dir = join(root, "net");
    prepareNetwork(optionsIn(dir), 1_800_000_000, {});
    throws(() => prepareNetwork(optionsIn(dir, "--nodes", "5"), 1_800_000_000, {}), OtherChainError);
    throws(() => prepareNetwork(optionsIn(dir, "--chain-id", "8701"), 1_800_000_000, {}), OtherChainError);
    equal(prepareNetwork(optionsIn(dir, "--nodes", "5", "--reset"), 1_800_000_000, {}).isNew, true);
  });

  it("never touch a folder that is no testnet's, not even with --reset", () => {
    writeFileSync(join(root, "thesis.txt"), "years of work");
    throws(() => prepareNetwork(optionsIn(root, "--reset"), 1_800_000_000, {}), OtherChainError);
    equal(readFileSync(join(root, "thesis.txt"), "utf8"), "years of work");
  });
});

describe("testnet ports", () => {
  it("are named with their role when they are in use", async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as { port: number };
    await rejects(assertPortsFree(port - 1, 2), (error: Error) => {
      equal(error instanceof PortInUseError, true);
      return error.message.includes(`port ${port} (rpc of node 2)`);
    });
    server.close();
    deepEqual(portsOf(8545, 2), { rpc: 8546, p2p: 9546, metrics: 10546, beacon: 11546 });
  });
});

describe("the testnet's table", () => {
  const status = {
    slot: 42,
    headSlot: 42,
    headRoot: ZERO_HASH,
    headNumber: 41,
    justifiedEpoch: 40,
    justifiedNumber: 39,
    finalizedEpoch: 39,
    finalizedNumber: 38,
    finalityLagSlots: 3,
    peers: 3,
    localValidators: 1,
    localVotes: 1,
    syncing: false,
    pendingTransactions: 0,
    queuedTransactions: 0,
    residentBytes: 148_400_000,
    cpuMs: 620,
  };
  const view: TestnetView = {
    chainId: 8700,
    slotSeconds: 1,
    nodes: [
      { number: 1, url: "http://127.0.0.1:8545", status, cpuPercent: 6.2 },
      { number: 2, url: "http://127.0.0.1:8546", status: undefined, cpuPercent: 0 },
    ],
    transactionsPerSecond: 2.5,
    accounts: [{ address: "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266", privateKey: "0xac09" }],
    accountBalanceWei: 10n ** 22n,
    next: nextStep(PROJECT_ROOT),
  };

  it("begins with what works in the folder it runs in", () => {
    equal(nextStep(tmpdir()), "npx jurat-wallet init my-contract");
  });

  it("looks like this", () => {
    deepEqual(
      renderTable(view).map((line) => line.trimEnd()),
      [
        "  jurat testnet · chain 8700 · slot 00042 · 1.0 s slots · finality lag 3 slots · 2.5 tx/s     ctrl-c stops",
        "",
        "  node  json-rpc                    slot     head  justified  finalized   lag  peers  votes   pool    cpu      rss",
        "     1  http://127.0.0.1:8545         42       42         40         39     3      3    1/1      0    6 %   148 MB",
        "     2  http://127.0.0.1:8546          –        –          –          –     –      –      –      –      –        –",
        "",
        "  accounts (public test keys, never use them for value)",
        "  dev:0  0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266  10000 JUR  0xac09",
        "",
        '  next: npx jurat-wallet deploy contracts/examples/token.ts --args "Token" TKN 1000000 --from dev:0',
      ],
    );
  });

  it("is one line per slot in a pipe", () => {
    equal(
      renderLine(view),
      "slot 42  node 1 head 42 justified 40 final 39 lag 3 peers 3 | node 2 silent  2.5 tx/s",
    );
  });
});
