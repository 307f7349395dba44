/** What staking commands ask of a chain: its validators, its constants, its time. See specs/wallet/staking.md. */
import { readFileSync } from "node:fs";
import type { BeaconClient } from "./beacon-client.ts";
import { isKeySource, readValidatorKey } from "./validator-key.ts";
import { BeaconRefusal, WalletError } from "./wallet-error.ts";

/** As the beacon API tells it; amounts in Gwei. */
export type ValidatorEntry = {
  readonly index: string;
  readonly balance: string;
  readonly status: string;
  readonly validator: {
    readonly pubkey: string;
    readonly withdrawal_credentials: string;
    readonly effective_balance: string;
    readonly activation_epoch: string;
    readonly exit_epoch: string;
    readonly withdrawable_epoch: string;
  };
};

/** A part of a stake that was asked for; the amount is in Gwei. */
export type PendingWithdrawal = {
  readonly validator_index: string;
  readonly amount: string;
  readonly withdrawable_epoch: string;
};
export type PendingDeposit = {
  readonly pubkey: string;
  readonly withdrawal_credentials: string;
  readonly amount: string;
  readonly slot: string;
};

export type ChainTime = {
  readonly genesisTime: number;
  readonly slotSeconds: number;
  readonly slotsPerEpoch: number;
  readonly epoch: number;
};

type Data<T> = { readonly data: T };
export type ChainSpec = Readonly<Record<string, unknown>>;

export const HEAD = "/eth/v1/beacon/states/head";
/** An epoch that never comes. */
export const NEVER = String(2n ** 64n - 1n);

export async function readSpec(beacon: BeaconClient): Promise<ChainSpec> {
  return (await beacon.get<Data<ChainSpec>>("/eth/v1/config/spec")).data;
}

/** @throws WalletError (failure) when the node does not tell the value. */
export function specNumber(spec: ChainSpec, name: string): bigint {
  const value = spec[name];
  if (typeof value === "string" && /^\d+$/.test(value)) return BigInt(value);
  throw new WalletError("failure", `the beacon API does not tell ${name}`);
}

export async function readTime(beacon: BeaconClient, spec: ChainSpec, nowMs: number): Promise<ChainTime> {
  const { data } = await beacon.get<Data<{ readonly genesis_time: string }>>("/eth/v1/beacon/genesis");
  const genesisTime = Number(data.genesis_time);
  const slotSeconds = Number(specNumber(spec, "SECONDS_PER_SLOT"));
  const slotsPerEpoch = Number(specNumber(spec, "SLOTS_PER_EPOCH"));
  const slot = Math.max(0, Math.floor((nowMs / 1000 - genesisTime) / slotSeconds));
  return { genesisTime, slotSeconds, slotsPerEpoch, epoch: Math.floor(slot / slotsPerEpoch) };
}

/** `in about 3 min`, `12 s ago`; empty for an epoch that never comes. */
export function describeEpoch(text: string, { epoch, slotSeconds, slotsPerEpoch }: ChainTime): string {
  if (text === NEVER) return "";
  const seconds = (Number(text) - epoch) * slotsPerEpoch * slotSeconds;
  return seconds > 0 ? `in about ${describeSpan(seconds)}` : `${describeSpan(-seconds)} ago`;
}

export function describeSpan(seconds: number): string {
  const units = [
    ["d", 86_400],
    ["h", 3600],
    ["min", 60],
  ] as const;
  const [name, size] = units.find(([, length]) => seconds >= 2 * length) ?? ["s", 1];
  return `${Math.round(seconds / size)} ${name}`;
}

/** The public key, or the index, that a text names: an index, 0x…, a key file, interop:N. */
export async function validatorId(text: string, keyPasswordFile: string | undefined): Promise<string> {
  if (/^\d{1,15}$/.test(text)) return text;
  if (/^0x[0-9a-fA-F]{96}$/.test(text)) return text.toLowerCase();
  if (!isKeySource(text)) {
    throw new WalletError(
      "usage",
      `${text} is no validator: give its index, its public key, a key file or interop:N`,
    );
  }
  const named = namedKey(text);
  if (named !== undefined) return named;
  const { publicKey } = await readValidatorKey(text, keyPasswordFile);
  return `0x${Buffer.from(publicKey).toString("hex")}`;
}

/** The key a file says it holds, without its password: enough to look it up. */
function namedKey(path: string): string | undefined {
  if (path.startsWith("interop:")) return undefined;
  try {
    const { pubkey } = JSON.parse(readFileSync(path, "utf8")) as { readonly pubkey?: unknown };
    return typeof pubkey === "string" && /^[0-9a-fA-F]{96}$/.test(pubkey)
      ? `0x${pubkey.toLowerCase()}`
      : undefined;
  } catch {
    return undefined;
  }
}

/** Undefined when the chain has no such validator. */
export async function findValidator(beacon: BeaconClient, id: string): Promise<ValidatorEntry | undefined> {
  try {
    return (await beacon.get<Data<ValidatorEntry>>(`${HEAD}/validators/${id}`)).data;
  } catch (error) {
    if (error instanceof BeaconRefusal && error.status === 404) return undefined;
    throw error;
  }
}

/** @throws WalletError (notFound) */
export async function requireValidator(beacon: BeaconClient, id: string): Promise<ValidatorEntry> {
  const found = await findValidator(beacon, id);
  if (found !== undefined) return found;
  throw new WalletError("notFound", `the chain has no validator ${id}`);
}

export async function readPendingDeposits(beacon: BeaconClient): Promise<readonly PendingDeposit[]> {
  return (await beacon.get<Data<readonly PendingDeposit[]>>(`${HEAD}/pending_deposits`)).data;
}

export async function readPendingWithdrawals(beacon: BeaconClient): Promise<readonly PendingWithdrawal[]> {
  return (await beacon.get<Data<readonly PendingWithdrawal[]>>(`${HEAD}/pending_partial_withdrawals`)).data;
}

/** Who gets the stake; undefined when nobody can, as of credentials that name no account. */
export function withdrawalAccount(credentials: string): string | undefined {
  return /^0x0[12]/.test(credentials) ? `0x${credentials.slice(26)}` : undefined;
}
