/** A new folder to write a contract in. See specs/contracts/build.md#template. */
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, join, resolve, sep } from "node:path";
import type { OutputFlags } from "../options.ts";
import { note, printResult } from "../output.ts";
import { PACKAGE_FOLDER } from "../package-folder.ts";
import { WalletError } from "../wallet-error.ts";

const TEMPLATE = join(PACKAGE_FOLDER, "contracts", "template");

type Manifest = {
  readonly version: string;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
};

/** @throws WalletError (usage) when there is something in that folder. */
export function init(folder: string, { json }: OutputFlags): void {
  const target = resolve(folder);
  const name = packageName(basename(target));
  if (existsSync(target) && readdirSync(target).length > 0) {
    throw new WalletError("usage", `${folder} is not empty: name a folder that does not exist yet`);
  }
  mkdirSync(target, { recursive: true });
  cpSync(TEMPLATE, target, { recursive: true });
  writeManifest(target, name);
  // npm would leave a file of its real name out of the package.
  writeFileSync(join(target, ".gitignore"), readFileSync(join(TEMPLATE, "gitignore")));
  rmSync(join(target, "gitignore"));
  const readme = readFileSync(join(target, "README.md"), "utf8");
  writeFileSync(join(target, "README.md"), readme.replace(/^# my-contract$/m, `# ${name}`));
  note(`  next: cd ${folder} && npm install && npm test`);
  printResult(json, { name, folder: target }, [target]);
}

/** Versions are those this package was tried with; itself by its folder when it is no installed package. */
function writeManifest(target: string, name: string): void {
  const own = JSON.parse(readFileSync(join(PACKAGE_FOLDER, "package.json"), "utf8")) as Manifest;
  const isInstalled = PACKAGE_FOLDER.includes(`${sep}node_modules${sep}`);
  const template = JSON.parse(readFileSync(join(target, "package.template.json"), "utf8")) as Manifest;
  const manifest = {
    ...template,
    name,
    dependencies: {
      jurat: isInstalled ? own.version : `file:${resolve(PACKAGE_FOLDER)}`,
      viem: own.dependencies["viem"],
    },
    devDependencies: {
      // What runs is Node.js 20 or newer: its types are no dependency of this package.
      "@types/node": "^20.19.0",
      typescript: own.dependencies["typescript"],
    },
  };
  writeFileSync(join(target, "package.json"), `${JSON.stringify(manifest, null, 2)}\n`);
  rmSync(join(target, "package.template.json"));
}

/** What npm takes for a name. */
function packageName(text: string): string {
  const name = text
    .toLowerCase()
    .replace(/[^a-z0-9._-]+/g, "-")
    .replace(/^[._-]+/, "");
  if (name !== "") return name;
  throw new WalletError("usage", `"${text}" is no name for a package: letters and digits`);
}
