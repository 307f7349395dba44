/** Putting stake in and taking it out. See specs/wallet/staking.md. */
import { encodeFunctionData, parseAbi } from "viem/utils";
import { SignedVoluntaryExit, VoluntaryExit } from "../../consensus/containers.ts";
import { computeDomain, computeSigningRoot, DOMAIN_VOLUNTARY_EXIT } from "../../consensus/signing-root.ts";
import { toChecksumAddress } from "../../primitives/address.ts";
import { blsSign } from "../../primitives/bls.ts";
import {
  type Address,
  bigIntToBytes,
  bytesToBigInt,
  concatBytes,
  fromHex,
  type Hex,
  toHex,
} from "../../primitives/bytes.ts";
import { WEI_PER_GWEI } from "../../primitives/units.ts";
import { EXIT_CONTRACT_ADDRESS } from "../../vm/chain-config.ts";
import { resolveAddress } from "../account-names.ts";
import { type BeaconClient, connectBeacon } from "../beacon-client.ts";
import type { CreateKeyFlags, DepositFlags, LeaveFlags, WithdrawFlags } from "../commands/staking.ts";
import {
  credentialsOf,
  type Deposit,
  depositDataRoot,
  readDepositFile,
  signDeposit,
} from "../deposit-data.ts";
import { connect, type NodeClient } from "../node-client.ts";
import { senderOf } from "../options.ts";
import { formatJur, note, paint, printResult } from "../output.ts";
import { choosePassword, confirm } from "../prompt.ts";
import {
  type ChainSpec,
  findValidator,
  NEVER,
  readSpec,
  requireValidator,
  specNumber,
  type ValidatorEntry,
  validatorId,
  withdrawalAccount,
} from "../staking-chain.ts";
import type { Intent } from "../transaction.ts";
import { createValidatorKey, isKeySource, readValidatorKey, type ValidatorKey } from "../validator-key.ts";
import { BeaconRefusal, WalletError } from "../wallet-error.ts";
import { readSeed } from "./accounts.ts";
import { write } from "./writes.ts";

const DEPOSIT_ABI = parseAbi([
  "function deposit(bytes pubkey, bytes withdrawal_credentials, bytes signature, bytes32 deposit_data_root) payable",
  "event DepositEvent(bytes pubkey, bytes withdrawal_credentials, bytes amount, bytes signature, bytes index)",
]);
const EXIT_ABI = parseAbi(["event WithdrawalRequested(address indexed source, bytes pubkey, uint64 amount)"]);

export async function createKey(flags: CreateKeyFlags): Promise<void> {
  const { out, keyPasswordFile, json, mnemonicFile, mnemonicIndex: index } = flags;
  const seed = mnemonicFile === undefined ? undefined : await readSeed(flags);
  if (seed === undefined && (index !== undefined || flags.mnemonicPassphraseFile !== undefined)) {
    throw new WalletError("usage", "--mnemonic-index and --mnemonic-passphrase-file go with --mnemonic-file");
  }
  const origin = seed === undefined ? undefined : { seed, index: index ?? 0 };
  const { publicKey, path } = createValidatorKey(out, await choosePassword(keyPasswordFile), origin);
  const pubkey = toHex(publicKey);
  printResult(json, { publicKey: pubkey, path }, [`${pubkey}  ${path}`]);
  const kept =
    origin === undefined
      ? "No words lead back to this key: keep a copy of the file."
      : `The words lead back to it, with --mnemonic-index ${origin.index}.`;
  note(`${kept} It goes with: jurat run --keystores`);
}

export async function deposit(source: string, flags: DepositFlags): Promise<void> {
  const sender = senderOf(flags);
  const client = await connect(flags.rpcUrl);
  const beacon = await connectBeacon(client, flags);
  const spec = await readSpec(beacon);
  const contract = String(spec["DEPOSIT_CONTRACT_ADDRESS"]) as Address;
  const deposits = await depositsOf(source, sender, spec, flags);
  const results: unknown[] = [];
  const lines: string[] = [];
  for (const one of deposits) {
    const written = await write(client, sender, await depositIntent(one, contract, beacon, spec), flags);
    if (written === undefined) continue;
    const { hash, receipt } = written;
    results.push({ publicKey: toHex(one.publicKey), hash, receipt });
    lines.push(hash);
  }
  if (lines.length > 0) printResult(flags.json, results.length === 1 ? results[0] : results, lines);
}

/** Of a deposit_data file, or one that is signed here. */
async function depositsOf(
  source: string,
  sender: string,
  spec: ChainSpec,
  flags: DepositFlags,
): Promise<readonly Deposit[]> {
  const forkVersion = String(spec["GENESIS_FORK_VERSION"]);
  if (/deposit_data[^/]*\.json$/.test(source)) {
    if (flags.amount !== undefined || flags.withdrawalAccount !== undefined) {
      throw new WalletError(
        "usage",
        "a deposit_data file has its amount and its account: leave those flags out",
      );
    }
    return readDepositFile(source, forkVersion);
  }
  const { amount } = flags;
  if (amount === undefined) throw new WalletError("usage", "say how much: --amount 32jur");
  if (amount % WEI_PER_GWEI !== 0n || amount < 10n ** 18n) {
    throw new WalletError("usage", "--amount is at least 1 JUR, in whole gwei");
  }
  const account = await resolveAddress(flags.withdrawalAccount ?? sender, flags.keystore);
  const key = await readValidatorKey(source, flags.keyPasswordFile);
  return [signDeposit(key, credentialsOf(account, flags.compounding), amount / WEI_PER_GWEI, forkVersion)];
}

async function depositIntent(
  one: Deposit,
  contract: Address,
  beacon: BeaconClient,
  spec: ChainSpec,
): Promise<Intent> {
  const { publicKey, credentials, signature, amountGwei } = one;
  const args = [toHex(publicKey), toHex(credentials), toHex(signature), toHex(depositDataRoot(one))] as const;
  const value = amountGwei * WEI_PER_GWEI;
  return {
    title: `deposit ${formatJur(value)} for a validator`,
    to: contract,
    value,
    data: encodeFunctionData({ abi: DEPOSIT_ABI, functionName: "deposit", args }),
    abi: DEPOSIT_ABI,
    details: [
      ["validator", toHex(publicKey)],
      ["goes to", describeCredentials(toHex(credentials))],
      ["effect", describeEffect(one, await findValidator(beacon, toHex(publicKey)), spec)],
    ],
  };
}

function describeCredentials(credentials: string): string {
  const account = withdrawalAccount(credentials);
  if (account === undefined) return paint("red", "nobody: these credentials name no account");
  const use = credentials.startsWith("0x02") ? "rewards are added to the stake" : "rewards are paid out";
  return `${toChecksumAddress(account as Address)} when it is withdrawn; ${use}`;
}

function describeEffect(
  { amountGwei, credentials }: Deposit,
  known: ValidatorEntry | undefined,
  spec: ChainSpec,
): string {
  if (known !== undefined) {
    const kept = known.validator.withdrawal_credentials;
    const other =
      kept === toHex(credentials) ? "" : paint("yellow", `; its credentials stay ${kept}, not those given`);
    return `adds to validator ${known.index}, which has ${formatGwei(known.balance)} (${known.status})${other}`;
  }
  const least = specNumber(spec, "MIN_ACTIVATION_BALANCE");
  return amountGwei >= least
    ? "a new validator, active some periods after the deposit is final"
    : paint("yellow", `a new validator, which waits until it has ${formatGwei(String(least))}`);
}

export async function exit(text: string, flags: LeaveFlags): Promise<void> {
  const client = await connect(flags.rpcUrl);
  const beacon = await connectBeacon(client, flags);
  if (!isKeySource(text)) return requestWithdrawal(client, beacon, text, 0n, flags);
  await exitByKey(beacon, await readValidatorKey(text, flags.keyPasswordFile), flags);
}

/** The key signs a message that any node takes, and that stays good for ever. */
async function exitByKey(beacon: BeaconClient, key: ValidatorKey, flags: LeaveFlags): Promise<void> {
  const entry = await requireValidator(beacon, toHex(key.publicKey));
  requireActive(entry);
  const signed = await signExit(beacon, key, Number(entry.index));
  const row = (label: string, value: string) => note(`  ${paint("dim", label.padEnd(9))} ${value}`);
  row("action", "leave for good, signed by the validator's key");
  showValidator(entry, row);
  const message = SignedVoluntaryExit.toJson(signed);
  if (flags.dryRun) {
    note("  nothing was sent: --dry-run");
    printResult(true, message, []);
    return;
  }
  if (!flags.yes) await confirm("this cannot be undone. Leave?");
  try {
    await beacon.post("/eth/v1/beacon/pool/voluntary_exits", message);
  } catch (error) {
    if (!(error instanceof BeaconRefusal)) throw error;
    throw new WalletError("reverted", `the node refused the exit: ${error.message}`, { cause: error });
  }
  note(
    `  ${paint("dim", "sent     ")} it is in a block within some slots: jurat-wallet staking status ${entry.index}`,
  );
  printResult(flags.json, { index: Number(entry.index), exit: message }, [entry.index]);
}

async function signExit(beacon: BeaconClient, key: ValidatorKey, validatorIndex: number) {
  type Data<T> = { readonly data: T };
  const [head, fork, genesis] = await Promise.all([
    beacon.get<Data<{ header: { message: { slot: string } } }>>("/eth/v1/beacon/headers/head"),
    beacon.get<Data<{ current_version: string }>>("/eth/v1/beacon/states/head/fork"),
    beacon.get<Data<{ genesis_validators_root: string }>>("/eth/v1/beacon/genesis"),
  ]);
  const epoch = Math.floor(
    Number(head.data.header.message.slot) / Number(specNumber(await readSpec(beacon), "SLOTS_PER_EPOCH")),
  );
  const message = { epoch, validatorIndex };
  const domain = computeDomain(
    DOMAIN_VOLUNTARY_EXIT,
    fromHex(fork.data.current_version),
    fromHex(genesis.data.genesis_validators_root),
  );
  return { message, signature: blsSign(key.secretKey, computeSigningRoot(VoluntaryExit, message, domain)) };
}

export async function withdraw(text: string, flags: WithdrawFlags): Promise<void> {
  if (flags.amount % WEI_PER_GWEI !== 0n || flags.amount === 0n) {
    throw new WalletError("usage", "--amount is above 0, in whole gwei; to leave for good use staking exit");
  }
  const client = await connect(flags.rpcUrl);
  const beacon = await connectBeacon(client, flags);
  await requestWithdrawal(client, beacon, text, flags.amount / WEI_PER_GWEI, flags);
}

/** The withdrawal account asks in a transaction (EIP-7002); 0 asks for everything. */
async function requestWithdrawal(
  client: NodeClient,
  beacon: BeaconClient,
  text: string,
  amountGwei: bigint,
  flags: LeaveFlags,
): Promise<void> {
  const sender = senderOf(flags);
  const entry = await requireValidator(beacon, await validatorId(text, flags.keyPasswordFile));
  requireOwner(entry, await resolveAddress(sender, flags.keystore), amountGwei);
  const fee = BigInt(
    await client.request<Hex>("eth_call", [{ to: EXIT_CONTRACT_ADDRESS, data: "0x" }, "latest"]),
  );
  const details: (readonly [string, string])[] = [];
  showValidator(entry, (label, value) => details.push([label, value]));
  const all = "leave for good: the stake is paid out once it is free";
  const intent: Intent = {
    title: amountGwei === 0n ? all : `withdraw ${formatGwei(String(amountGwei))} of the stake`,
    to: EXIT_CONTRACT_ADDRESS,
    value: fee,
    data: toHex(concatBytes(fromHex(entry.validator.pubkey), bigIntToBytes(amountGwei, 8))),
    abi: EXIT_ABI,
    details: [
      ...details,
      ...describeLimit(entry, amountGwei, await readSpec(beacon)),
      ["request", `costs ${fee} wei`],
    ],
  };
  const written = await write(client, sender, intent, flags);
  if (written === undefined) return;
  const { hash, receipt } = written;
  printResult(flags.json, { index: Number(entry.index), hash, receipt }, [hash]);
}

/** A part is cut to what exceeds the smallest stake when its turn comes. */
function describeLimit(
  { balance }: ValidatorEntry,
  amountGwei: bigint,
  spec: ChainSpec,
): readonly (readonly [string, string])[] {
  const least = specNumber(spec, "MIN_ACTIVATION_BALANCE");
  const excess = BigInt(balance) > least ? BigInt(balance) - least : 0n;
  if (amountGwei <= excess) return [];
  const text = `only what exceeds ${formatGwei(String(least))} can be taken: ${formatGwei(String(excess))} now`;
  return [["limit", paint("yellow", text)]];
}

/** The chain passes over a request it does not like without a word, so it is said here. */
function requireOwner(entry: ValidatorEntry, from: Address, amountGwei: bigint): void {
  const { validator, index } = entry;
  const account = withdrawalAccount(validator.withdrawal_credentials);
  const wrong = (text: string) => new WalletError("reverted", `validator ${index} ${text}`);
  if (account === undefined) throw wrong("names no account: only its own key can make it leave");
  if (bytesToBigInt(fromHex(account)) !== bytesToBigInt(fromHex(from))) {
    throw wrong(`belongs to ${toChecksumAddress(account as Address)}, not to ${toChecksumAddress(from)}`);
  }
  requireActive(entry);
  if (amountGwei > 0n && !validator.withdrawal_credentials.startsWith("0x02")) {
    throw wrong("does not compound: what exceeds 32 JUR is paid out by itself");
  }
}

function requireActive({ index, status, validator }: ValidatorEntry): void {
  if (validator.exit_epoch !== NEVER) {
    throw new WalletError("reverted", `validator ${index} is leaving already (${status})`);
  }
  if (status !== "active_ongoing")
    throw new WalletError("reverted", `validator ${index} is not active (${status})`);
}

function showValidator(entry: ValidatorEntry, row: (label: string, value: string) => void): void {
  const account = withdrawalAccount(entry.validator.withdrawal_credentials);
  row("validator", `${entry.index} ${entry.validator.pubkey}`);
  row("stake", `${formatGwei(entry.balance)}, ${entry.status}`);
  row("goes to", account === undefined ? "nobody can have it back" : toChecksumAddress(account as Address));
}

function formatGwei(gwei: string): string {
  return formatJur(BigInt(gwei) * WEI_PER_GWEI);
}
