/** What `jurat db` does and prints. See specs/node/db.md. */
import { join } from "node:path";
import { systemTime } from "../clock.ts";
import type { ExportConfig, FolderConfig, ImportConfig, InspectConfig, PruneConfig } from "./db-config.ts";
import { DbDamage } from "./db-damage.ts";
import { exportBlocks } from "./export-blocks.ts";
import { type Folder, openFolder } from "./folder.ts";
import { importBlocks } from "./import-blocks.ts";
import { type FolderReport, inspectFolder } from "./inspect-folder.ts";
import { pruneExecution } from "./prune-folder.ts";
import { verifyFolder } from "./verify-folder.ts";

const write = (text: string) => void process.stdout.write(`${text}\n`);
const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(1)} MB`;

async function within<T>(
  config: FolderConfig,
  readOnly: boolean,
  body: (folder: Folder) => T | Promise<T>,
): Promise<T> {
  const folder = await openFolder(config, readOnly);
  try {
    return await body(folder);
  } finally {
    await folder.close();
  }
}

export async function runInspect(config: InspectConfig): Promise<void> {
  const report = await within(config, true, inspectFolder);
  write(config.json ? JSON.stringify(report, undefined, 2) : readable(report));
}

function readable({ chain, bytes, consensus, execution }: FolderReport): string {
  const sizes = Object.entries(bytes).map(([role, size]) => `${role} ${megabytes(size)}`);
  return [
    `chain      ${chain.name} (${chain.chainId})  genesis ${chain.genesisRoot}`,
    `disk       ${sizes.join("  ")}`,
    `final      epoch ${consensus.finalizedEpoch}  slot ${consensus.finalizedSlot}  ${consensus.finalizedRoot}`,
    `slots      ${consensus.oldestSlot} to ${consensus.highestSlot}  ${consensus.unfinalizedBlocks} blocks not final`,
    `state      block ${execution.finalizedNumber}  root ${execution.stateRoot}`,
    `blocks     ${execution.oldestBlock} to ${execution.finalizedNumber}  states from ${execution.oldestState}`,
  ].join("\n");
}

/** @throws DbDamage */
export async function runVerify(config: FolderConfig): Promise<void> {
  const faults = await within(config, false, verifyFolder);
  if (faults.length > 0) throw new DbDamage(config.dir, faults);
  write(`${config.dir} is whole`);
}

export async function runPrune(config: PruneConfig): Promise<void> {
  const directory = join(config.dir, "execution");
  await within(config, false, async ({ execution }) => {
    const { oldestState, before, after } = await pruneExecution(execution, directory, config.historyBlocks);
    write(`states from block ${oldestState} on  ${megabytes(before)} before, ${megabytes(after)} now`);
  });
}

export async function runExport(config: ExportConfig): Promise<void> {
  const range = { first: config.first, last: config.last };
  const { files, blocks, bytes } = await within(config, true, (folder) =>
    exportBlocks(folder, config.out, range),
  );
  write(`${blocks} blocks in ${files} files, ${megabytes(bytes)}, in ${config.out}`);
}

export async function runImport(config: ImportConfig): Promise<void> {
  const startMs = performance.now();
  const perSecond = (count: number) => Math.round((count * 1000) / (performance.now() - startMs));
  await within(config, false, async (folder) => {
    const report = await importBlocks(folder, config.from, systemTime.now, (slot, imported) => {
      process.stderr.write(`slot ${slot}  ${imported} blocks  ${perSecond(imported)} blocks/s\n`);
    });
    write(`${report.imported} blocks imported, ${report.known} were here, from ${report.files} files`);
  });
}
