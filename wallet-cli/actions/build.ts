/** Building contracts into artifacts. See specs/contracts/build.md. */
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { type Artifact, writeArtifact } from "../../contracts/build/artifact.ts";
import { buildContract } from "../../contracts/build/build-contract.ts";
import { BuildError } from "../../contracts/build/build-error.ts";
import { checkLayout } from "../../contracts/build/check-layout.ts";
import type { StorageLayout } from "../../vm/contract/storage-json.ts";
import type { BuildFlags } from "../commands/authors.ts";
import { note, paint, printResult } from "../output.ts";
import { readText } from "../private-file.ts";
import { WalletError } from "../wallet-error.ts";

const DEFAULT_FOLDER = "contracts";

type Built = { readonly artifact: Artifact; readonly file: string };

/** Nothing is written unless everything builds. */
export async function build(files: readonly string[], flags: BuildFlags): Promise<void> {
  const sources = findContracts(files);
  if (flags.against !== undefined && sources.length !== 1) {
    throw new WalletError("usage", `--against is for one contract, and here are ${sources.length}`);
  }
  const built: Built[] = [];
  for (const file of sources) built.push({ file, artifact: await buildOne(file, flags) });
  refuseSameNames(built);
  const results = built.map(({ file, artifact }) => {
    const { contractName, bytecode, abi } = artifact;
    const written = writeArtifact(artifact, flags.out);
    const bytes = (bytecode.length - 2) / 2;
    const functions = abi.filter(({ type }) => type === "function").length;
    note(
      `  ${paint("green", "built")} ${contractName}  ${file}  ${bytes} bytes, ${functions} functions, ${artifact.storageLayout.storage.length} storage fields`,
    );
    return { contractName, source: file, bytes, functions, written };
  });
  printResult(
    flags.json,
    results,
    results.flatMap(({ written }) => written),
  );
}

async function buildOne(file: string, flags: BuildFlags): Promise<Artifact> {
  try {
    const artifact = await buildContract(file, { typeCheck: flags.typeCheck });
    const previous = flags.against ?? join(flags.out, `${artifact.contractName}.json`);
    const isCompared = flags.against !== undefined || (!flags.allowLayoutChange && existsSync(previous));
    if (isCompared) checkLayout(readLayout(previous), artifact.storageLayout, previous);
    return artifact;
  } catch (error) {
    if (!(error instanceof BuildError)) throw error;
    const advice =
      error.detail.code === "BUILD_LAYOUT" && flags.against === undefined
        ? "\nif no deployed contract is to take this code over: --allow-layout-change"
        : "";
    throw new WalletError("failure", `${file} does not build:\n${error.message}${advice}`, { cause: error });
  }
}

const Entry = z.looseObject({
  label: z.string(),
  offset: z.number(),
  slot: z.string().regex(/^\d+$/),
  type: z.string(),
});
const WithLayout = z.looseObject({
  storageLayout: z.looseObject({
    storage: z.array(Entry),
    types: z.record(
      z.string(),
      z.looseObject({
        encoding: z.string(),
        label: z.string(),
        numberOfBytes: z.string().regex(/^\d+$/),
        members: z.array(Entry).optional(),
      }),
    ),
  }),
});

/** @throws WalletError when the file is no artifact that says where its storage is. */
function readLayout(file: string): StorageLayout {
  const text = readText(file, "the artifact", "usage");
  try {
    return WithLayout.parse(JSON.parse(text)).storageLayout as unknown as StorageLayout;
  } catch (cause) {
    throw new WalletError("usage", `${file} is no artifact with a storageLayout`, { cause });
  }
}

/** Files as they are given; of folders, what exports a contract. */
function findContracts(files: readonly string[]): string[] {
  const paths = files.length > 0 ? files : [DEFAULT_FOLDER];
  const found = paths.flatMap((path) => {
    if (!existsSync(path)) {
      const hint =
        files.length === 0 ? "; name the contracts to build, or begin with: jurat-wallet init" : "";
      throw new WalletError("usage", `${path} does not exist${hint}`);
    }
    return statSync(path).isDirectory() ? contractsIn(path) : [path];
  });
  if (found.length > 0) return found;
  throw new WalletError("usage", `no file in ${paths.join(", ")} has "export default contract({ … })"`);
}

function contractsIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts") && !name.endsWith(".d.ts") && !name.includes("node_modules"))
    .sort()
    .map((name) => join(folder, name))
    .filter((path) => /^export default contract\(/m.test(readFileSync(path, "utf8")));
}

function refuseSameNames(built: readonly Built[]): void {
  const byName = new Map<string, string>();
  for (const { artifact, file } of built) {
    const other = byName.get(artifact.contractName);
    if (other !== undefined) {
      throw new WalletError(
        "usage",
        `${other} and ${file} are both named ${artifact.contractName}: one would replace the other`,
      );
    }
    byName.set(artifact.contractName, file);
  }
}
