/** Puts a chain spec together from flags and files, as JSON text. See specs/consensus/genesis.md#chain-spec. */
import { readFileSync } from "node:fs";
import { z } from "zod";
import { readSystemAllocation } from "../../contracts/build/system-image.ts";
import { blsPublicKey } from "../../primitives/bls.ts";
import { toHex } from "../../primitives/bytes.ts";
import { DEV_BALANCE_WEI, deriveDevAccounts } from "../../primitives/dev-accounts.ts";
import { interopSecretKey } from "../../primitives/interop-keys.ts";
import type { GenesisTime, MakeConfig } from "./genesis-config.ts";
import { brokenSpec, ChainSpecError, issuesOf } from "./spec-issues.ts";

const GWEI_PER_COIN = 1_000_000_000n;

/**
 * Equal arguments give equal bytes. What the files say is only parsed as JSON here: parseChainSpec judges the whole.
 *
 * @param nowSeconds when `+300` counts from; seconds since 1970.
 * @throws ChainSpecError when a file cannot be read or is no JSON.
 */
export function makeChainSpecText(config: MakeConfig, nowSeconds: number): string {
  const { name, preset, chainId, slotSeconds, forks } = config;
  const spec = {
    ...{ name, preset, chainId, genesisTime: secondsOf(config.genesisTime, nowSeconds) },
    ...(slotSeconds === undefined ? {} : { slotSeconds }),
    ...(forks === undefined ? {} : { forks: readJson(forks) }),
    alloc: allocationOf(config),
    validators: validatorsOf(config),
  };
  return `${JSON.stringify(spec, null, 2)}\n`;
}

function secondsOf(time: GenesisTime, nowSeconds: number): number {
  return "atSeconds" in time ? time.atSeconds : nowSeconds + time.inSeconds;
}

function validatorsOf({ validators, interopValidators = 0, withdrawalAddress, stake }: MakeConfig): unknown {
  if (validators !== undefined) return readJson(validators);
  return Array.from({ length: interopValidators }, (_, index) => ({
    publicKey: toHex(blsPublicKey(interopSecretKey(index))),
    withdrawalAddress,
    amountGwei: String(BigInt(stake) * GWEI_PER_COIN),
  }));
}

/** In order of address, so that the same accounts are the same bytes. What the file says of an account wins. */
function allocationOf({ alloc, devAccounts }: MakeConfig): Readonly<Record<string, unknown>> {
  const funded = devAccounts ? deriveDevAccounts() : [];
  const accounts = {
    ...readSystemAllocation(),
    ...Object.fromEntries(funded.map(({ address }) => [address, { balance: String(DEV_BALANCE_WEI) }])),
    ...(alloc === undefined ? {} : withLowerCaseKeys(alloc, readJson(alloc))),
  };
  return Object.fromEntries(Object.entries(accounts).sort(([a], [b]) => (a < b ? -1 : 1)));
}

function withLowerCaseKeys(path: string, value: unknown): Readonly<Record<string, unknown>> {
  const accounts = z.record(z.string(), z.unknown()).safeParse(value);
  if (!accounts.success) throw brokenSpec(path, issuesOf(accounts.error, value));
  return Object.fromEntries(
    Object.entries(accounts.data).map(([key, account]) => [key.toLowerCase(), account]),
  );
}

function readJson(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, "utf8"));
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new ChainSpecError(`cannot read ${path}: ${reason}`, [], { cause });
  }
}
