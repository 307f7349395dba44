/** A deposit that joins, and an exit whose stake comes back, by the wallet's own commands. See specs/testnet/scenarios.md#the-scenarios. */
import { execFile } from "node:child_process";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createPublicClient, http } from "viem";
import { deriveDevAccounts } from "../../primitives/dev-accounts.ts";
import { WEI_PER_GWEI } from "../../primitives/units.ts";
import { untilFinalityGoesOn, untilInOrder } from "./finality-scenarios.ts";
import { type Scenario, ScenarioFailure, type ScenarioNetwork } from "./scenario.ts";

const WALLET = fileURLToPath(new URL("../../wallet-cli/main.js", import.meta.url));
const WALLET_TIMEOUT_MS = 60_000;
/** Many times what joining or leaving takes with the delays of the preset. */
const LIMIT_SLOTS = 300;
/** Of a stake of 32, what rewards and missed votes may have made of it. */
const STAKE_GWEI = { atLeast: 31n * 10n ** 9n, atMost: 33n * 10n ** 9n };

type ValidatorAnswer = {
  readonly data?: { readonly index: string; readonly status: string; readonly balance: string };
};

/** Runs `jurat-wallet staking …` against node 1. @throws ScenarioFailure with what it said when it fails. */
function wallet(network: ScenarioNetwork, ...args: string[]): Promise<string> {
  const config = join(tmpdir(), `jurat-no-settings-${process.pid}`);
  const env = { ...process.env, JURAT_CONFIG: config, ETH_RPC_URL: network.url(1) };
  return new Promise((resolve, reject) => {
    const options = { env, timeout: WALLET_TIMEOUT_MS };
    execFile(process.execPath, [WALLET, "staking", ...args], options, (error, stdout, stderr) => {
      if (error === null) resolve(stdout);
      else reject(new ScenarioFailure(`jurat-wallet staking ${args[0]}: ${stderr.trim()}`));
    });
  });
}

/** Asks node 1 once a slot until the validator stands as wanted; undefined while the chain does not know it. */
async function untilValidator(
  network: ScenarioNetwork,
  what: string,
  id: string,
  status: string,
): Promise<NonNullable<ValidatorAnswer["data"]>> {
  for (let slots = 0; slots < LIMIT_SLOTS; slots++) {
    const path = `/eth/v1/beacon/states/head/validators/${id}`;
    const { data } = (await network.beacon(1, path)) as ValidatorAnswer;
    if (data?.status === status) return data;
    const { slot = 0 } = (await network.status(1)) ?? {};
    await network.until("the chain goes on", (next) => next.slot > slot, { nodes: [1] });
  }
  throw new ScenarioFailure(`${what}: not after ${LIMIT_SLOTS} slots`);
}

export const deposit: Scenario = {
  name: "deposit",
  summary: "a deposit by the wallet becomes a validator that votes",
  minimumNodes: 2,
  preset: "rehearsal",
  async run(network) {
    await untilInOrder(network);
    const key = network.nodes * network.validatorsPerNode;
    const joiner = await network.startExtra(`${key}-${key}`);
    await wallet(network, "deposit", `interop:${key}`, "--amount", "32jur", "--from", "dev:3", "--yes");
    network.note("the deposit is in a block");
    // The next index is free until the deposit is final and its turn in the queue has come.
    await untilValidator(network, "the deposit makes a validator", String(key), "active_ongoing");
    network.note(`validator ${key} is active`);
    await network.until(
      "the new validator votes",
      ({ localValidators, localVotes }) => localValidators === 1 && localVotes === 1,
      { nodes: [joiner] },
    );
    await untilRewarded(network, key);
    await untilFinalityGoesOn(network, "finality goes on with the new validator");
  },
};

/** Rewards are for votes that others put into blocks: the network took part of it, and not only its own node. */
async function untilRewarded(network: ScenarioNetwork, validatorIndex: number): Promise<void> {
  // Without data while the ledger of stakes is on its way to the finalized state.
  type Rewards = { readonly data?: readonly { readonly earned: string }[] };
  for (let slots = 0; slots < LIMIT_SLOTS; slots++) {
    const { data } = (await network.beacon(1, `/jurat/v1/rewards?id=${validatorIndex}`)) as Rewards;
    if (BigInt(data?.[0]?.earned ?? "0") > 0n) return;
    const { slot = 0 } = (await network.status(1)) ?? {};
    await network.until("the chain goes on", (next) => next.slot > slot, { nodes: [1] });
  }
  throw new ScenarioFailure("the new validator's votes earned nothing");
}

export const exit: Scenario = {
  name: "exit",
  summary: "a validator leaves, and its account has the stake back",
  minimumNodes: 4,
  preset: "rehearsal",
  async run(network) {
    await untilInOrder(network);
    const index = network.nodes * network.validatorsPerNode - 1;
    const accounts = deriveDevAccounts();
    const owner = accounts[index % accounts.length];
    if (owner === undefined) throw new ScenarioFailure("there is no account for the validator");
    const client = createPublicClient({ transport: http(network.url(1)) });
    const before = await client.getBalance({ address: owner.address });
    await wallet(network, "exit", `interop:${index}`, "--yes");
    await untilValidator(network, "the exit is in a block", String(index), "active_exiting");
    network.note(`validator ${index} is leaving`);
    await untilValidator(network, "the stake is paid out", String(index), "withdrawal_done");
    // The head of JSON-RPC follows that of the beacon API: what is final is behind both.
    await untilFinalityGoesOn(network, "finality goes on without the validator");
    const gained = (await client.getBalance({ address: owner.address })) - before;
    if (gained < STAKE_GWEI.atLeast * WEI_PER_GWEI || gained > STAKE_GWEI.atMost * WEI_PER_GWEI) {
      throw new ScenarioFailure(`the owner's balance rose by ${gained} wei, not by the stake`);
    }
    network.note(`${owner.address} has ${gained} wei more`);
  },
};
