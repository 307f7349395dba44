import { deepEqual, equal, notEqual, ok } from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Abi, createPublicClient, createWalletClient, defineChain, type Hex, http } from "viem";
import { privateKeyToAccount } from "viem/accounts";
import { buildContract } from "../../contracts/build/build-contract.ts";
import { verifySetChange } from "../../light/light-client.ts";
import { validatorSetRoot } from "../../light/validator-set.ts";
import { decodeFinalizedBlock, decodeSetProof, decodeValidatorSet } from "../../light/wire.ts";
import { readChainSpec } from "../../node/chain-spec.ts";
import { buildConsensusGenesis, buildExecutionGenesis } from "../../node/genesis.ts";
import { validatorSetOf } from "../../node/light/light-server.ts";
import { fromHex, toHex } from "../../primitives/bytes.ts";
import { deriveDevAccounts } from "../../primitives/dev-accounts.ts";
import { startNode, stopNode } from "../../testnet/node-process.ts";
import { portsOf } from "../../testnet/ports.ts";
import { verifyAccountProof } from "../../vm/state/proof.ts";
import { freeBasePort } from "../support/free-ports.ts";
import { alertRules, dashboardQueries, Prometheus, prometheusInstalled } from "../support/prometheus.ts";
import { TestnetRun } from "../support/testnet-run.ts";
import { PROJECT_ROOT } from "../support/vectors.ts";

const [alice, bob] = deriveDevAccounts();

describe("a network of four processes", function () {
  this.timeout(240_000);
  let dir: string;
  let basePort: number;
  let testnet: TestnetRun;

  before(async () => {
    dir = mkdtempSync(join(tmpdir(), "jurat-e2e-"));
    basePort = await freeBasePort(5);
    testnet = new TestnetRun(["--dir", join(dir, "net"), "--base-port", String(basePort)]);
    await testnet.step("first final block on all 4 nodes");
  });

  after(async () => {
    await testnet.stop();
    rmSync(dir, { recursive: true, force: true });
  });

  const metricsPort = (node: number) => basePort + 2000 + node - 1;

  const clientOf = (node: number) => {
    const url = `http://127.0.0.1:${basePort + node - 1}`;
    const nativeCurrency = { name: "Jurat", symbol: "JUR", decimals: 18 };
    const chain = defineChain({
      id: 8700,
      name: "jurat",
      nativeCurrency,
      rpcUrls: { default: { http: [url] } },
    });
    return createPublicClient({ chain, transport: http(url), pollingInterval: 100 });
  };

  /** Resolves when the node's finalized block is at least `number`. */
  const finalized = async (node: number, number: bigint) => {
    const client = clientOf(node);
    for (;;) {
      const block = await client.getBlock({ blockTag: "finalized" });
      if (block.number >= number) return block;
      await testnet.status(() => true);
    }
  };

  it("makes a TypeScript token final on every node", async () => {
    const { abi, bytecode } = await buildContract(join(PROJECT_ROOT, "contracts/examples/token.ts"));
    const client = clientOf(1);
    const account = privateKeyToAccount(alice!.privateKey);
    const wallet = createWalletClient({ account, chain: client.chain, transport: http() });

    const token = { abi: abi as Abi, bytecode: bytecode as Hex };
    const deployment = await wallet.deployContract({ ...token, args: ["Token", "TKN", 1_000_000n] });
    const deployed = await client.waitForTransactionReceipt({ hash: deployment });
    equal(deployed.status, "success");
    const address = deployed.contractAddress!;

    const to = bob!.address;
    const hash = await wallet.writeContract({
      ...token,
      address,
      functionName: "transfer",
      args: [to, 1234n],
    });
    const receipt = await client.waitForTransactionReceipt({ hash });
    equal(receipt.status, "success");
    equal(receipt.logs.length, 1);

    for (const node of [1, 2, 3, 4]) await finalized(node, receipt.blockNumber);
    const far = clientOf(4);
    const read = { ...token, address, functionName: "balanceOf", args: [to], blockTag: "finalized" } as const;
    equal(await far.readContract(read), 1234n);
  });

  it("proves what is final to who knows 32 bytes", async () => {
    // A node that lies could not make this root fit: it comes from the chain spec.
    const spec = readChainSpec(join(dir, "net", "chain-spec.json"));
    const { state } = buildConsensusGenesis(spec, buildExecutionGenesis(spec).block);
    const trusted = validatorSetRoot(validatorSetOf(state, 0, spec.params));
    const ask = async (path: string): Promise<Record<string, unknown>> => {
      for (;;) {
        const url = `http://127.0.0.1:${basePort + 3000 + 1}/jurat/v1/light/${path}?period=0`;
        const response = await fetch(url);
        if (response.status === 503) await testnet.status(() => true);
        else return ((await response.json()) as { readonly data: Record<string, unknown> }).data;
      }
    };
    const set = decodeValidatorSet((await ask("validator_set"))["set"]);
    const change = await ask("set_change");
    const block = decodeFinalizedBlock(change["block"]);
    const next = verifySetChange(block, decodeSetProof(change["proof"]), { set, root: trusted });
    equal(next.set.validators.length, 4);

    const blockHash = toHex(block.execution.blockHash);
    const header = await clientOf(1).getBlock({ blockHash });
    equal(header.number, BigInt(block.execution.blockNumber));
    equal(header.stateRoot, toHex(block.execution.stateRoot));
  });

  it("takes in a node that begins with a checkpoint and fetches what lies below", async () => {
    const beacon = (node: number) => `http://127.0.0.1:${basePort + 3000 + node - 1}`;
    const { rpc, p2p, metrics, beacon: rest } = portsOf(basePort, 5);
    const joiner = startNode({
      ...{ number: 5, dir: join(dir, "joiner"), rpcPort: rpc },
      args: [
        ...["--dir", join(dir, "joiner"), "--chain-spec", join(dir, "net", "chain-spec.json")],
        ...["--checkpoint-url", beacon(1), beacon(2)],
        ...["--bootstrap", `/ip4/127.0.0.1/tcp/${basePort + 1000}`, `/ip4/127.0.0.1/tcp/${basePort + 1001}`],
        ...["--rpc-port", String(rpc), "--p2p-port", String(p2p)],
        ...["--metrics-port", String(metrics), "--beacon-port", String(rest)],
      ],
    });
    try {
      await joiner.ready;
      const client = createPublicClient({ transport: http(joiner.url) });
      const first = await clientOf(1).getBlock({ blockTag: "finalized" });
      for (;;) {
        const head = await client.getBlock({ blockTag: "finalized" });
        if (head.number > first.number) break;
        await testnet.status(() => true);
      }
      const block = await client.getBlock({ blockTag: "finalized" });
      equal((await clientOf(1).getBlock({ blockNumber: block.number })).hash, block.hash);
      equal(
        await client.getBalance({ address: alice!.address, blockNumber: block.number }),
        await clientOf(1).getBalance({ address: alice!.address, blockNumber: block.number }),
      );
      const oldest = async (url: string) => {
        const blocks = await Promise.all(
          Array.from({ length: 40 }, (_, index) => index + 1).map(async (slot) => {
            const answer = await fetch(`${url}/eth/v1/beacon/blocks/${slot}/root`);
            return answer.ok ? JSON.stringify(((await answer.json()) as { data: unknown }).data) : undefined;
          }),
        );
        return blocks.find((root) => root !== undefined);
      };
      const expected = await oldest(beacon(1));
      notEqual(expected, undefined);
      while ((await oldest(`http://127.0.0.1:${rest}`)) !== expected) await testnet.status(() => true);
    } finally {
      await stopNode(joiner);
    }
  });

  it("proves an account against the header it finalized", async () => {
    const client = clientOf(4);
    const block = await client.getBlock({ blockTag: "finalized" });
    const proof = await client.getProof({
      address: alice!.address,
      storageKeys: [],
      blockNumber: block.number,
    });
    const nodes = proof.accountProof.map(fromHex);
    const account = verifyAccountProof(block.stateRoot, alice!.address, nodes);
    equal(account?.balance, proof.balance);
    equal(account?.nonce, BigInt(proof.nonce));
  });

  it("goes on when a node is killed, and takes it back with the same state", async () => {
    const { processes } = await testnet.ready();
    const before = await testnet.status(({ finalized: epoch }) => epoch !== null);
    const epochBefore = before.nodes[0]!.finalized!;
    process.kill(processes[1]!, "SIGKILL");

    const others = [1, 3, 4];
    await testnet.status(({ node, head }) => (node === 2 ? head === null : head !== null));
    await testnet.status(({ finalized: epoch }) => epoch !== null && epoch > epochBefore + 2, others);

    await testnet.step("node 2 is back");
    await testnet.status(({ finalized: epoch, lag }) => {
      return epoch !== null && epoch > epochBefore + 2 && lag !== null && lag <= 8;
    });

    const number = (await clientOf(2).getBlock({ blockTag: "finalized" })).number;
    await finalized(3, number);
    const [ours, theirs] = await Promise.all(
      [2, 3].map((node) => clientOf(node).getBlock({ blockNumber: number })),
    );
    equal(ours!.stateRoot, theirs!.stateRoot);
    equal(ours!.hash, theirs!.hash);
  });

  it("tells Prometheus about head, finality, peers and the lag of both threads", async () => {
    const text = await (await fetch(`http://127.0.0.1:${metricsPort(1)}/metrics`)).text();
    const value = (name: string) =>
      Number(
        text
          .split("\n")
          .find((line) => line.startsWith(`${name} `))
          ?.split(" ")[1],
      );
    ok(value("beacon_head_slot") > 3);
    ok(value("beacon_finalized_epoch") > 0);
    ok(value("beacon_current_justified_epoch") >= value("beacon_finalized_epoch"));
    equal(value("libp2p_peers"), 3);
    equal(value("beacon_current_active_validators"), 4);
    // The call worker's readings are as of the scrape before.
    const again = await (await fetch(`http://127.0.0.1:${metricsPort(1)}/metrics`)).text();
    for (const thread of ["consensus", "execution", "call"]) {
      ok(again.includes(`jurat_event_loop_lag_seconds{thread="${thread}",quantile="max"}`), thread);
      ok(again.includes(`jurat_gc_pause_seconds_count{thread="${thread}",kind="minor"}`), thread);
    }
  });

  it("gives Prometheus all that the dashboard and the alerts ask for", async function () {
    prometheusInstalled(this);
    const prometheus = await Prometheus.start([1, 2, 3, 4].map((node) => `127.0.0.1:${metricsPort(node)}`));
    try {
      deepEqual(await prometheus.withoutData(['count(up{job="jurat"} == 1) == 4']), []);
      deepEqual(await prometheus.withoutData(dashboardQueries().map(({ query }) => query)), []);
      // A counter by reason has no value before its first one, but the node must know it.
      const text = await (await fetch(`http://127.0.0.1:${metricsPort(1)}/metrics`)).text();
      const named = alertRules().flatMap(({ expr }) => expr.match(/\b(?:jurat|beacon|libp2p)_\w+/g) ?? []);
      const known = [...text.matchAll(/^# TYPE (\w+) /gm)].map(([, name]) => name);
      deepEqual(
        named.filter((name) => !known.includes(name.replace(/_bucket$/, ""))),
        [],
      );
      deepEqual(await prometheus.query('ALERTS{alertname="JuratDown", alertstate="firing"}'), []);
    } finally {
      await prometheus.stop();
    }
  });

  it("refuses ports in use, another chain's folder and a wrong flag, and leaves nothing running", async () => {
    const refusal = async (...args: string[]) => {
      const run = new TestnetRun(args);
      await run.line(() => false).catch(() => undefined);
      return run;
    };
    const ports = await refusal("--dir", join(dir, "other"), "--base-port", String(basePort));
    equal(ports.code, 3);
    ok(ports.errors.includes(`port ${basePort}`));
    const freePort = String(await freeBasePort(4));
    const chain = await refusal("--dir", join(dir, "net"), "--base-port", freePort, "--chain-id", "8701");
    equal(chain.code, 4);
    ok(chain.errors.includes("--chain-id 8700"));
    const flag = await refusal("--nodes", "many");
    equal(flag.code, 2);
    ok(flag.errors.includes("whole number from 1 to 64"));
  });

  it("stops on Ctrl-C, says so, and continues the same chain", async () => {
    const genesis = await clientOf(1).getBlock({ blockNumber: 1n });
    equal(await testnet.stop(), 0);
    ok(testnet.lines.some((line) => line.type === "step" && line.step.startsWith("all 4 nodes stopped")));

    testnet = new TestnetRun(["--dir", join(dir, "net"), "--base-port", String(basePort)]);
    await testnet.ready();
    const same = await clientOf(1).getBlock({ blockNumber: 1n });
    equal(same.hash, genesis.hash);
    const head = await clientOf(1).getBlockNumber();
    notEqual(head, 0n);
    await finalized(3, head + 1n);
  });
});
