/** Starts the nodes, shows them until told to stop, stops them. */

import { nextStep } from "../contracts/build/next-step.ts";
import { readSystemAllocation } from "../contracts/build/system-image.ts";
import { toChecksumAddress } from "../primitives/address.ts";
import { DEV_BALANCE_WEI, deriveDevAccounts } from "../primitives/dev-accounts.ts";
import { launchOf } from "./launch.ts";
import { prepareNetwork } from "./network-files.ts";
import { createCpuMeter, type NodeStatus, nodeStatus } from "./node-status.ts";
import type { TestnetOptions } from "./options.ts";
import { assertPortsFree } from "./ports.ts";
import type { Reporter } from "./reporter.ts";
import { type Supervisor, superviseNode } from "./supervisor.ts";
import { createThroughputMeter } from "./throughput.ts";

/** Between the command and genesis, so that four nodes on two cores are up when the first slot begins. */
const GENESIS_DELAY_SECONDS = 3;
/** How often the nodes are asked where they stand, as a share of a slot. */
const POLLS_PER_SLOT = 5;

/** Runs until `stopRequested` resolves or a node fails. @returns the exit code. */
export async function runTestnet(
  options: TestnetOptions,
  reporter: Reporter,
  stopRequested: Promise<void>,
): Promise<number> {
  await assertPortsFree(options.basePort, options.nodes);
  const genesisTime = Math.ceil(Date.now() / 1000) + GENESIS_DELAY_SECONDS;
  const files = prepareNetwork(options, genesisTime, readSystemAllocation());
  reporter.step(
    files.isNew ? `new chain ${options.chainId} in ${options.dir}` : `continuing the chain in ${options.dir}`,
  );

  const nodes = Array.from({ length: options.nodes }, (_, index) =>
    superviseNode(launchOf(options, files.specPath, index + 1), reporter.step),
  );
  try {
    return await Promise.race([
      watch(options, files.description.slotSeconds, nodes, reporter, stopRequested),
      ...nodes.map(({ failed }) => failed),
    ]);
  } finally {
    reporter.step("stopping");
    await Promise.all(nodes.map((node) => node.stop()));
    reporter.step(`all ${nodes.length} nodes stopped; the same command continues this chain`);
    reporter.close();
  }
}

/** Reports each stage as it is reached, then a status per slot. */
async function watch(
  options: TestnetOptions,
  slotSeconds: number,
  nodes: readonly Supervisor[],
  reporter: Reporter,
  stopRequested: Promise<void>,
): Promise<number> {
  let isStopping = false;
  const stopping = stopRequested.then(() => {
    isStopping = true;
  });
  const stages = createStages(reporter, nodes.length);
  await Promise.race([
    Promise.all(nodes.map(async (node) => node.ready.then(() => stages.up(node.number)))),
    stopping,
  ]);
  if (isStopping) return 0;
  const accounts = deriveDevAccounts().map(({ address, privateKey }) => ({
    address: toChecksumAddress(address),
    privateKey,
  }));
  reporter.ready({
    chainId: options.chainId,
    slotSeconds,
    endpoints: nodes.map(({ url }) => url),
    processes: nodes.map((node) => node.pid()),
    accounts,
  });

  const throughput = createThroughputMeter(nodes[0]?.url ?? "");
  const cpuMeters = nodes.map(() => createCpuMeter(() => performance.now()));
  let reportedSlot = -1;
  for (;;) {
    const pause = new Promise((resolve) =>
      setTimeout(resolve, (slotSeconds * 1000) / POLLS_PER_SLOT).unref(),
    );
    const statuses = await Promise.all(nodes.map(({ url }) => nodeStatus(url)));
    if (isStopping) return 0;
    stages.observe(statuses);
    const slot = Math.max(-1, ...statuses.map((status) => status?.slot ?? -1));
    const transactionsPerSecond = await throughput.measure(statuses[0]?.headNumber, slotSeconds);
    const rows = nodes.map(({ number, url }, index) => {
      const status = statuses[index];
      return {
        number,
        url,
        status,
        cpuPercent: status === undefined ? 0 : (cpuMeters[index]?.(status.cpuMs) ?? 0),
      };
    });
    const view = {
      chainId: options.chainId,
      slotSeconds,
      nodes: rows,
      transactionsPerSecond,
      accounts,
      accountBalanceWei: DEV_BALANCE_WEI,
      next: nextStep(process.cwd()),
    };
    reporter.status(view, slot > reportedSlot);
    reportedSlot = Math.max(slot, reportedSlot);
    await Promise.race([pause, stopping]);
    if (isStopping) return 0;
  }
}

/** Says once, with its time, when each stage of the start is reached. */
function createStages(reporter: Reporter, count: number) {
  const reached = new Set<string>();
  /** Where the chain stood when we began to look: a continued chain has blocks already. */
  let start: { readonly head: number; readonly finalized: number } | undefined;
  const once = (stage: string, isReached: boolean) => {
    if (!isReached || reached.has(stage)) return;
    reached.add(stage);
    reporter.step(stage);
  };
  const all = (statuses: readonly (NodeStatus | undefined)[], test: (status: NodeStatus) => boolean) =>
    statuses.every((status) => status !== undefined && test(status));
  return {
    up: (number: number) => once(`node ${number} up`, true),
    observe(statuses: readonly (NodeStatus | undefined)[]) {
      once("all connected", count > 1 && all(statuses, ({ peers }) => peers >= count - 1));
      const [first] = statuses;
      if (first === undefined) return;
      start ??= { head: first.headNumber, finalized: first.finalizedNumber };
      const { head, finalized } = start;
      once(
        "first block",
        all(statuses, ({ headNumber }) => headNumber > head),
      );
      const final = all(statuses, ({ finalizedNumber }) => finalizedNumber > finalized);
      once(`first final block on all ${count} nodes`, final);
    },
  };
}
