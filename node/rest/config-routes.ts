/** Genesis and the chain's constants. See specs/node/rest.md#configuration. */
import type { ChainParams } from "../../consensus/params.ts";
import {
  DOMAIN_AGGREGATE_AND_PROOF,
  DOMAIN_BEACON_ATTESTER,
  DOMAIN_BEACON_PROPOSER,
  DOMAIN_DEPOSIT,
  DOMAIN_RANDAO,
  DOMAIN_SELECTION_PROOF,
  DOMAIN_VOLUNTARY_EXIT,
} from "../../consensus/signing-root.ts";
import { toHex } from "../../primitives/bytes.ts";
import type { Json, JsonObject } from "../../rpc/json.ts";
import { get, json, type Route } from "./route.ts";
import type { RestView } from "./view.ts";

const FAR_FUTURE_EPOCH_TEXT = String(2n ** 64n - 1n);

export function configRoutes(view: RestView): readonly Route[] {
  const { params, engine, chainId, depositContract } = view;
  const { genesisTime, genesisValidatorsRoot } = engine.chain;
  const spec = specOf(view);
  const forks = params.forks.map(({ version, firstEpoch }, index) => ({
    previous_version: params.forks[Math.max(0, index - 1)]?.version ?? version,
    current_version: version,
    epoch: String(firstEpoch),
  }));
  return [
    get("/eth/v1/beacon/genesis", () =>
      json({
        data: {
          genesis_time: String(genesisTime),
          genesis_validators_root: toHex(genesisValidatorsRoot),
          genesis_fork_version: params.forks[0]?.version ?? "0x00000000",
        },
      }),
    ),
    get("/eth/v1/config/spec", () => json({ data: spec })),
    get("/eth/v1/config/fork_schedule", () => json({ data: forks })),
    get("/eth/v1/config/deposit_contract", () =>
      json({ data: { chain_id: String(chainId), address: depositContract } }),
    ),
  ];
}

/** Every parameter under its own name in capitals, and under Ethereum's name where that is another one. */
function specOf({ params, chainId, depositContract }: RestView): JsonObject {
  const { forks, presetName, ...rest } = params;
  const own = Object.entries(rest).map(([name, value]) => [toCapitals(name), String(value)] as const);
  return {
    CONFIG_NAME: presetName,
    PRESET_BASE: presetName,
    ...Object.fromEntries(own),
    FORKS: forks.map(forkJson),
    ...ethereumNames(params),
    DEPOSIT_CHAIN_ID: String(chainId),
    DEPOSIT_NETWORK_ID: String(chainId),
    DEPOSIT_CONTRACT_ADDRESS: depositContract,
    FAR_FUTURE_EPOCH: FAR_FUTURE_EPOCH_TEXT,
    DOMAIN_BEACON_PROPOSER: toHex(DOMAIN_BEACON_PROPOSER),
    DOMAIN_BEACON_ATTESTER: toHex(DOMAIN_BEACON_ATTESTER),
    DOMAIN_RANDAO: toHex(DOMAIN_RANDAO),
    DOMAIN_DEPOSIT: toHex(DOMAIN_DEPOSIT),
    DOMAIN_VOLUNTARY_EXIT: toHex(DOMAIN_VOLUNTARY_EXIT),
    DOMAIN_SELECTION_PROOF: toHex(DOMAIN_SELECTION_PROOF),
    DOMAIN_AGGREGATE_AND_PROOF: toHex(DOMAIN_AGGREGATE_AND_PROOF),
  };
}

function forkJson({ version, firstSlot, firstEpoch, slotsPerEpoch }: ChainParams["forks"][number]): Json {
  return {
    VERSION: version,
    FIRST_SLOT: String(firstSlot),
    FIRST_EPOCH: String(firstEpoch),
    SLOTS_PER_EPOCH: String(slotsPerEpoch),
  };
}

function ethereumNames(params: ChainParams): JsonObject {
  const [genesisFork] = params.forks;
  return {
    SECONDS_PER_SLOT: String(params.slotSeconds),
    SLOT_DURATION_MS: String(params.slotSeconds * 1000),
    SLOTS_PER_EPOCH: String(genesisFork?.slotsPerEpoch ?? 1),
    GENESIS_FORK_VERSION: genesisFork?.version ?? "0x00000000",
    EFFECTIVE_BALANCE_INCREMENT: String(params.effectiveBalanceIncrementGwei),
    MIN_ACTIVATION_BALANCE: String(params.minActivationBalanceGwei),
    MAX_EFFECTIVE_BALANCE: String(params.minActivationBalanceGwei),
    MAX_EFFECTIVE_BALANCE_ELECTRA: String(params.maxEffectiveBalanceGwei),
    EJECTION_BALANCE: String(params.ejectionBalanceGwei),
    EPOCHS_PER_HISTORICAL_VECTOR: String(params.randaoMixesLength),
    EPOCHS_PER_SLASHINGS_VECTOR: String(params.slashingsLength),
    SHUFFLE_ROUND_COUNT: String(params.shuffleRounds),
    SLOTS_PER_HISTORICAL_ROOT: String(params.slotsPerHistoricalRoot),
  };
}

function toCapitals(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase();
}
