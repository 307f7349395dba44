/** The first block of both sides, from the chain spec. Deterministic: all nodes compute the same roots. */
import { createGenesis, type Genesis, GenesisError, type GenesisErrorDetail } from "../consensus/genesis.ts";
import { toPayloadHeader } from "../consensus/process-payload.ts";
import { compoundingCredentials } from "../consensus/withdrawal-credentials.ts";
import { type Address, fromHex, type Hash } from "../primitives/bytes.ts";
import type { Block } from "../vm/block.ts";
import {
  type ChainConfig,
  DEPOSIT_CONTRACT_ADDRESS,
  EXIT_CONTRACT_ADDRESS,
  GAS_LIMIT_DEFAULT,
  GAS_LIMIT_MINIMUM,
} from "../vm/chain-config.ts";
import { buildGenesis, type GenesisAccount } from "../vm/genesis.ts";
import type { ChainSpec, GenesisAccountSpec } from "./chain-spec.ts";
import type { ExecutionGenesis } from "./execution/chain-states.ts";
import { payloadOfBlock } from "./execution/payload.ts";
import { brokenSpec, type SpecIssue, wrongValue } from "./genesis/spec-issues.ts";

/** Stake comes and goes where the allocation has the contracts for it. */
export function chainConfigOf({ chainId, alloc }: ChainSpec): ChainConfig {
  const ifDeployed = (contract: Address) => (alloc[contract]?.code === undefined ? undefined : contract);
  return {
    chainId: BigInt(chainId),
    gasLimitMinimum: GAS_LIMIT_MINIMUM,
    gasLimitMaximum: GAS_LIMIT_DEFAULT,
    depositContract: ifDeployed(DEPOSIT_CONTRACT_ADDRESS),
    exitContract: ifDeployed(EXIT_CONTRACT_ADDRESS),
  };
}

export function buildExecutionGenesis({ alloc, genesisTime }: ChainSpec): ExecutionGenesis {
  const allocation = new Map<Address, GenesisAccount>(
    Object.entries(alloc).map(([address, account]) => [address as Address, toGenesisAccount(account)]),
  );
  return buildGenesis({ allocation, timestamp: genesisTime, gasLimit: GAS_LIMIT_DEFAULT });
}

function toGenesisAccount({
  balance = 0n,
  nonce = 0,
  code = "0x",
  storage = {},
}: GenesisAccountSpec): GenesisAccount {
  const slots = new Map(Object.entries(storage).map(([slot, value]) => [slot as Hash, BigInt(value)]));
  return { balance, nonce: BigInt(nonce), code: fromHex(code), storage: slots };
}

/** @throws ChainSpecError naming the validator that no chain can begin with. */
export function buildConsensusGenesis(spec: ChainSpec, executionBlock: Block): Genesis {
  const { params, genesisTime } = spec;
  const validators = spec.validators.map(({ publicKey, withdrawalAddress, amountGwei }) => ({
    pubkey: fromHex(publicKey),
    withdrawalCredentials: compoundingCredentials(fromHex(withdrawalAddress)),
    amount: amountGwei,
  }));
  const executionHeader = toPayloadHeader(payloadOfBlock(executionBlock), params);
  try {
    return createGenesis({ params, genesisTime, validators, executionHeader });
  } catch (cause) {
    if (!(cause instanceof GenesisError)) throw cause;
    throw brokenSpec(spec.name, [validatorIssue(cause.detail, spec)], { cause });
  }
}

function validatorIssue(detail: GenesisErrorDetail, { validators }: ChainSpec): SpecIssue {
  if (detail.code === "GENESIS_NO_VALIDATORS") return wrongValue("validators", "at least one validator", []);
  const path = `validators.${detail.validatorIndex}`;
  const validator = validators[detail.validatorIndex];
  switch (detail.code) {
    case "GENESIS_INVALID_PUBLIC_KEY":
      return wrongValue(`${path}.publicKey`, "a BLS12-381 public key", validator?.publicKey);
    case "GENESIS_DUPLICATE_PUBLIC_KEY":
      return wrongValue(`${path}.publicKey`, "a key no validator before it has", validator?.publicKey);
    case "GENESIS_STAKE_TOO_SMALL":
      return wrongValue(`${path}.amountGwei`, `at least ${detail.minimumGwei}`, validator?.amountGwei);
  }
}
