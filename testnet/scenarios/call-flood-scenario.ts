/** Fifty clients that call an endless loop cost the network no vote and no block. See specs/testnet/scenarios.md#the-call-flood. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Abi, createPublicClient, createWalletClient, defineChain, type Hex, http } from "viem";
import { privateKeyToAccount } from "viem/accounts";
import { buildContract } from "../../contracts/build/build-contract.ts";
import { deriveDevAccounts } from "../../primitives/dev-accounts.ts";
import { portsOf } from "../ports.ts";
import { describeFlood, type FloodWindow, floodFault, sumOf } from "./call-flood-verdict.ts";
import { untilInOrder } from "./finality-scenarios.ts";
import { type Scenario, ScenarioFailure, type ScenarioNetwork } from "./scenario.ts";

const CLIENTS = 50;
/** Floods, each between two quiet times: what else the machine does changes over minutes, and must not count as theirs. */
const FLOODS = 2;
/** Length of each flood and of each quiet time. */
const WINDOW_SLOTS = 20;
const CREATION_GAS = 20_000_000n;
const HASH_ATTEMPTS = 240;

/** Runs until its gas is gone: the cap of a call, 30 M. */
const SPINNER = `import { contract, view } from "chain:std";

export default contract({
  name: "Spinner",
  functions: {
    spin: view("() returns (uint256)", () => {
      let turns = 0;
      for (;;) turns = (turns + 1) % 1000;
    }),
  },
});
`;
/** What a call of it ends with: all its gas spent, or all its time. */
const ENDS = /^(out of gas|execution aborted)/;
/** Of spin(). */
const SPIN = "0xf0acd7d5";

export const callFlood: Scenario = {
  name: "call-flood",
  summary: `${CLIENTS} clients that call a loop of 30 M gas cost no vote and no block`,
  minimumNodes: 1,
  async run(network) {
    await untilInOrder(network);
    const spinner = await deploySpinner(network.url(1));
    const quiet = [await watch(network)];
    const flooded: FloodWindow[] = [];
    for (let floods = 0; floods < FLOODS; floods++) {
      const flood = startFlood(network.url(1), spinner);
      const window = await watch(network);
      const { ended, refused } = await flood.stop();
      network.note(`flood: ${describeFlood(window)}; ${ended} calls ended, ${refused} refused`);
      if (ended === 0) throw new ScenarioFailure("no call of the flood ended: it was none");
      flooded.push(window);
      quiet.push(await watch(network));
    }
    network.note(`quiet: ${describeFlood(sumOf(quiet))}`);
    const fault = floodFault(sumOf(quiet), sumOf(flooded));
    if (fault !== undefined) throw new ScenarioFailure(fault);
  },
};

async function deploySpinner(url: string): Promise<Hex> {
  const { abi, bytecode } = await buildSpinner();
  const [first] = deriveDevAccounts();
  if (first === undefined) throw new ScenarioFailure("there are no test accounts");
  const transport = http(url);
  const account = privateKeyToAccount(first.privateKey);
  const reader = createPublicClient({ transport });
  const nativeCurrency = { name: "Jurat", symbol: "JUR", decimals: 18 };
  const chain = defineChain({
    ...{ id: await reader.getChainId(), name: "jurat", nativeCurrency },
    rpcUrls: { default: { http: [url] } },
  });
  const wallet = createWalletClient({ account, chain, transport });
  const hash = await wallet.deployContract({ abi: abi as Abi, bytecode, gas: CREATION_GAS });
  const receipt = await reader.waitForTransactionReceipt({ hash, retryCount: HASH_ATTEMPTS });
  if (receipt.contractAddress == null) throw new ScenarioFailure("the spinner was not deployed");
  return receipt.contractAddress;
}

async function buildSpinner(): Promise<{ readonly abi: unknown; readonly bytecode: Hex }> {
  const folder = mkdtempSync(join(tmpdir(), "jurat-spinner-"));
  try {
    const path = join(folder, "spinner.ts");
    writeFileSync(path, SPINNER);
    return await buildContract(path, { typeCheck: false });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Calls from CLIENTS connections, each as soon as its last one was answered, until it is stopped. */
function startFlood(url: string, to: Hex) {
  let isEnding = false;
  const counts = { ended: 0, refused: 0 };
  const client = async () => {
    while (!isEnding) {
      if (ENDS.test(await callOnce(url, to))) counts.ended++;
      else counts.refused++;
    }
  };
  const clients = Array.from({ length: CLIENTS }, client);
  return {
    /** Resolves when the last call is answered: none is left to work at in the quiet that follows. */
    async stop() {
      isEnding = true;
      await Promise.all(clients);
      return counts;
    },
  };
}

/** What the node says about the call. */
async function callOnce(url: string, to: Hex): Promise<string> {
  const request = { jsonrpc: "2.0", id: 1, method: "eth_call", params: [{ to, data: SPIN }, "latest"] };
  try {
    const headers = { "content-type": "application/json" };
    const response = await fetch(url, { method: "POST", headers, body: JSON.stringify(request) });
    const answer = (await response.json()) as { readonly error?: { readonly message: string } };
    return answer.error?.message ?? "the loop returned";
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** What WINDOW_SLOTS slots brought, on all nodes together. */
async function watch(network: ScenarioNetwork): Promise<FloodWindow> {
  const before = await totals(network);
  const from = Math.max(...(await Promise.all(network.running().map((node) => slotOf(network, node)))));
  const answers: Promise<boolean>[] = [];
  const isOver = ({ slot }: { readonly slot: number }, node: number) => {
    if (node === 1) answers.push(answersChainId(network.url(1)));
    return slot >= from + WINDOW_SLOTS;
  };
  await network.until("the slots go by", isOver, { limitSlots: 4 * WINDOW_SLOTS });
  const after = await totals(network);
  const answered = await Promise.all(answers);
  return {
    slots: WINDOW_SLOTS,
    emptySlots: after.empty - before.empty,
    lateVotes: after.late - before.late,
    nodes: network.running().length,
    validators: network.nodes * network.validatorsPerNode,
    asked: answered.length,
    answered: answered.filter(Boolean).length,
  };
}

function answersChainId(url: string): Promise<boolean> {
  const reader = createPublicClient({ transport: http(url, { retryCount: 0 }) });
  return reader.getChainId().then(
    () => true,
    () => false,
  );
}

async function slotOf(network: ScenarioNetwork, node: number): Promise<number> {
  return (await network.status(node))?.slot ?? 0;
}

/** Slots without a block and votes that were late or never came, as all nodes counted them. */
async function totals(network: ScenarioNetwork): Promise<{ readonly empty: number; readonly late: number }> {
  const texts = await Promise.all(network.running().map((node) => metricsOf(network.url(node))));
  const sum = (name: string) => texts.reduce((total, text) => total + readMetric(text, name), 0);
  return { empty: sum("jurat_slots_without_block_total"), late: sum("jurat_votes_late_total") };
}

async function metricsOf(url: string): Promise<string> {
  const { metrics } = portsOf(Number(new URL(url).port), 1);
  const response = await fetch(`http://127.0.0.1:${metrics}/metrics`);
  return response.text();
}

function readMetric(text: string, name: string): number {
  const value = new RegExp(`^${name}(?:{[^}]*})? (\\S+)$`, "m").exec(text)?.[1];
  if (value === undefined) throw new ScenarioFailure(`the node does not tell ${name}`);
  return Number(value);
}
