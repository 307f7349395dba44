/** `jurat genesis make` and `jurat genesis check`: what they do. */
import { writeFileSync } from "node:fs";
import { type ChainSpec, parseChainSpec, readChainSpec } from "../chain-spec.ts";
import { buildConsensusGenesis, buildExecutionGenesis } from "../genesis.ts";
import { installNativeBackends } from "../native/install.ts";
import { describeGenesis, type GenesisDescription, genesisLines } from "./describe-genesis.ts";
import type { CheckConfig, MakeConfig } from "./genesis-config.ts";
import { makeChainSpecText } from "./make-chain-spec.ts";
import { ChainSpecError } from "./spec-issues.ts";

/** Writes a chain spec that `check` accepts, or nothing. @throws ChainSpecError */
export async function runGenesisMake(config: MakeConfig): Promise<void> {
  await installNativeBackends();
  const text = makeChainSpecText(config, Math.floor(Date.now() / 1000));
  const description = await describe(parseChainSpec(text, config.name));
  if (config.out === undefined) {
    process.stdout.write(text);
    return;
  }
  writeNew(config.out, text);
  process.stdout.write(`${[`wrote ${config.out}`, ...genesisLines(description)].join("\n")}\n`);
}

/** A chain spec that others may have started nodes with is never replaced. */
function writeNew(path: string, text: string): void {
  try {
    writeFileSync(path, text, { flag: "wx" });
  } catch (cause) {
    const exists = cause instanceof Error && "code" in cause && cause.code === "EEXIST";
    const reason = exists ? "it exists: choose another --out or remove it" : String(cause);
    throw new ChainSpecError(`cannot write ${path}: ${reason}`, [], { cause });
  }
}

/** @throws ChainSpecError */
export async function runGenesisCheck({ file, json }: CheckConfig): Promise<void> {
  await installNativeBackends();
  const description = await describe(readChainSpec(file));
  const text = json ? JSON.stringify(description, null, 2) : genesisLines(description).join("\n");
  process.stdout.write(`${text}\n`);
}

async function describe(spec: ChainSpec): Promise<GenesisDescription> {
  const execution = buildExecutionGenesis(spec);
  return describeGenesis(spec, execution.block, buildConsensusGenesis(spec, execution.block));
}
