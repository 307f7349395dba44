/** Where validators stand and what they earned. See specs/wallet/staking.md. */
import { toChecksumAddress } from "../../primitives/address.ts";
import type { Address } from "../../primitives/bytes.ts";
import { formatUnits, WEI_PER_GWEI } from "../../primitives/units.ts";
import { resolveAddress } from "../account-names.ts";
import { type BeaconClient, connectBeacon } from "../beacon-client.ts";
import type { RewardFlags, StatusFlags } from "../commands/staking.ts";
import { connect } from "../node-client.ts";
import { formatJur, note, paint, printResult } from "../output.ts";
import {
  type ChainTime,
  describeEpoch,
  describeSpan,
  findValidator,
  HEAD,
  NEVER,
  type PendingDeposit,
  type PendingWithdrawal,
  readPendingDeposits,
  readPendingWithdrawals,
  readSpec,
  readTime,
  requireValidator,
  type ValidatorEntry,
  validatorId,
  withdrawalAccount,
} from "../staking-chain.ts";
import { BeaconRefusal, WalletError } from "../wallet-error.ts";

export async function status(texts: readonly string[], flags: StatusFlags): Promise<void> {
  const client = await connect(flags.rpcUrl);
  const beacon = await connectBeacon(client, flags);
  const time = await readTime(beacon, await readSpec(beacon), Date.now());
  const pending = await readPendingDeposits(beacon);
  const { validators, unknown } = await choose(beacon, texts, flags);
  const waiting = pending.filter((deposit) => isMeant(deposit, unknown, validators));
  const lost = unknown.filter((id) => !waiting.some(({ pubkey }) => pubkey === id));
  if (lost.length > 0) throw new WalletError("notFound", `the chain has no validator ${lost.join(", ")}`);
  const shown = validators.slice(0, flags.limit);
  const leaving = (await readPendingWithdrawals(beacon)).filter(({ validator_index: index }) =>
    validators.some((entry) => entry.index === index),
  );
  const lines = [
    ...shown.map((entry) => describeValidator(entry, time)),
    ...waiting.map(describeDeposit),
    ...leaving.map((part) => describeWithdrawal(part, time)),
  ];
  printResult(flags.json, { validators, pendingDeposits: waiting, pendingWithdrawals: leaving }, lines);
  if (shown.length < validators.length)
    note(`and ${validators.length - shown.length} more: --limit, or --json`);
  if (lines.length === 0) note("no validators");
}

type Chosen = { readonly validators: readonly ValidatorEntry[]; readonly unknown: readonly string[] };

/** Those named; or those of an account; or all. */
async function choose(beacon: BeaconClient, texts: readonly string[], flags: StatusFlags): Promise<Chosen> {
  if (texts.length > 0) {
    const ids = await Promise.all(texts.map((text) => validatorId(text, flags.keyPasswordFile)));
    const found = await Promise.all(ids.map((id) => findValidator(beacon, id)));
    return {
      validators: found.filter((entry) => entry !== undefined),
      unknown: ids.filter((_, index) => found[index] === undefined),
    };
  }
  const { data } = await beacon.get<{ readonly data: readonly ValidatorEntry[] }>(`${HEAD}/validators`);
  if (flags.withdrawalAccount === undefined) return { validators: data, unknown: [] };
  const account = await resolveAddress(flags.withdrawalAccount, flags.keystore);
  const validators = data.filter(
    ({ validator }) => withdrawalAccount(validator.withdrawal_credentials) === account,
  );
  return { validators, unknown: [] };
}

function isMeant(
  { pubkey }: PendingDeposit,
  unknown: readonly string[],
  validators: readonly ValidatorEntry[],
): boolean {
  return unknown.includes(pubkey) || validators.some(({ validator }) => validator.pubkey === pubkey);
}

const INDEX_WIDTH = 6;
const STATUS_WIDTH = 19;

function describeValidator(
  { index, balance, status: standing, validator }: ValidatorEntry,
  time: ChainTime,
): string {
  const account = withdrawalAccount(validator.withdrawal_credentials);
  const owner = account === undefined ? "no account" : toChecksumAddress(account as Address);
  const parts = [
    index.padStart(INDEX_WIDTH),
    standing.padEnd(STATUS_WIDTH),
    formatGwei(balance).padEnd(20),
    `${validator.pubkey.slice(0, 10)}…${validator.pubkey.slice(-6)}`,
    owner,
    describeNext(validator, time),
  ];
  return parts.join("  ").trimEnd();
}

/** The next thing that happens to it, or the last that did. */
function describeNext(validator: ValidatorEntry["validator"], time: ChainTime): string {
  const { activation_epoch: start, exit_epoch: end, withdrawable_epoch: free } = validator;
  const isPast = (epoch: string) => epoch !== NEVER && Number(epoch) <= time.epoch;
  if (start === NEVER) return "";
  if (!isPast(start)) return `active ${describeEpoch(start, time)}`;
  if (end === NEVER)
    return start === "0" ? "active since genesis" : `active since ${describeEpoch(start, time)}`;
  if (!isPast(end)) return `leaves ${describeEpoch(end, time)}`;
  return isPast(free) ? `free since ${describeEpoch(free, time)}` : `stake free ${describeEpoch(free, time)}`;
}

function describeDeposit({ pubkey, amount, slot }: PendingDeposit): string {
  const key = `${pubkey.slice(0, 10)}…${pubkey.slice(-6)}`;
  const parts = [
    "-".padStart(INDEX_WIDTH),
    "deposit_pending".padEnd(STATUS_WIDTH),
    formatGwei(amount).padEnd(20),
  ];
  return [...parts, key, `taken in when slot ${slot} is final and its turn has come`].join("  ");
}

function describeWithdrawal(
  { validator_index: index, amount, withdrawable_epoch: epoch }: PendingWithdrawal,
  time: ChainTime,
): string {
  const parts = [
    index.padStart(INDEX_WIDTH),
    "withdrawal_pending".padEnd(STATUS_WIDTH),
    formatGwei(amount).padEnd(20),
  ];
  return [...parts, `paid ${describeEpoch(epoch, time)}`].join("  ");
}

type Rewards = {
  readonly slot: string;
  readonly since_slot: string;
  readonly data: readonly {
    readonly index: string;
    readonly balance: string;
    readonly deposited: string;
    readonly withdrawn: string;
    readonly pending: string;
    readonly earned: string;
    readonly recent: { readonly since_slot: string; readonly earned: string } | null;
  }[];
};

const SECONDS_PER_YEAR = 365.25 * 86_400;

export async function rewards(texts: readonly string[], flags: RewardFlags): Promise<void> {
  const client = await connect(flags.rpcUrl);
  const beacon = await connectBeacon(client, flags);
  const ids = await Promise.all(texts.map((text) => validatorId(text, flags.keyPasswordFile)));
  for (const id of ids) await requireValidator(beacon, id);
  const answer = await readRewards(beacon, ids);
  const { slotSeconds } = await readTime(beacon, await readSpec(beacon), Date.now());
  const lines = answer.data.flatMap((entry) => {
    const { index, earned, balance, deposited, withdrawn, recent } = entry;
    return [
      `validator ${index}   earned ${paintAmount(earned)} since slot ${answer.since_slot}`,
      `  now ${formatGwei(balance)}, put in ${formatGwei(deposited)}, paid out ${formatGwei(withdrawn)}`,
      ...describeRecent(recent, balance, Number(answer.slot), slotSeconds),
    ];
  });
  printResult(flags.json, answer, lines);
}

async function readRewards(beacon: BeaconClient, ids: readonly string[]): Promise<Rewards> {
  try {
    return await beacon.get<Rewards>(`/jurat/v1/rewards?id=${ids.join(",")}`);
  } catch (error) {
    if (!(error instanceof BeaconRefusal)) throw error;
    const isOther = error.status === 404 && /endpoint/i.test(error.message);
    const text = isOther ? "this node keeps no ledger of rewards" : error.message;
    throw new WalletError(error.status === 404 && !isOther ? "notFound" : "failure", text, { cause: error });
  }
}

function describeRecent(
  recent: Rewards["data"][number]["recent"],
  balance: string,
  slot: number,
  slotSeconds: number,
): readonly string[] {
  const seconds = (slot - Number(recent?.since_slot ?? slot)) * slotSeconds;
  if (recent === null || seconds <= 0) return [];
  // A figure for people, not for money.
  const share = Number(BigInt(recent.earned)) / Number(BigInt(balance) || 1n);
  const yearly = (100 * share * SECONDS_PER_YEAR) / seconds;
  const span = describeSpan(seconds);
  return [
    `  in the last ${span} ${paintAmount(recent.earned)}, which would be ${yearly.toFixed(1)} % a year`,
  ];
}

function paintAmount(gwei: string): string {
  const text = formatGwei(gwei);
  return gwei.startsWith("-") ? paint("red", text) : text;
}

function formatGwei(gwei: string): string {
  return gwei.startsWith("-")
    ? `-${formatUnits(BigInt(gwei.slice(1)), 9)} JUR`
    : formatJur(BigInt(gwei) * WEI_PER_GWEI);
}
