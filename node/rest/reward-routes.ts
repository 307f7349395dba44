/** What validators earned: ours, because the beacon API knows single epochs only. See specs/node/rest.md#rewards. */
import type { Gwei, ValidatorIndex } from "../../consensus/containers.ts";
import type { ConsensusState } from "../../consensus/state.ts";
import { getState } from "../../consensus/state-cache.ts";
import { computePeriodAtSlot } from "../../consensus/time.ts";
import { toHex } from "../../primitives/bytes.ts";
import type { JsonObject } from "../../rpc/json.ts";
import type { StakeLedger } from "../storage/stake-ledger.ts";
import { notFound, RestError } from "./rest-error.ts";
import { get, listOf, type Route } from "./route.ts";
import { indexOf } from "./validator-routes.ts";
import type { RestView } from "./view.ts";

/** Periods looked back on for what is earned now. */
export const RECENT_PERIODS = 64;
/** All looks back together. */
const RECENT_BYTES_LIMIT = 8 * 1024 * 1024;
const IDS_LIMIT = 64;

export type RewardHistory = {
  /** Told each finalized state once the ledger holds its block; remembers the first of each period. */
  onFinalizedState(state: ConsensusState): void;
  /** What a validator had earned at the oldest look, with its slot. */
  oldest(index: ValidatorIndex): { readonly slot: number; readonly earned: Gwei } | undefined;
};

type Look = { readonly slot: number; readonly earned: BigInt64Array };

export function createRewardHistory(ledger: StakeLedger, periodOf: (slot: number) => number): RewardHistory {
  const looks: Look[] = [];
  return {
    onFinalizedState(state) {
      const last = looks.at(-1);
      if (last !== undefined && periodOf(last.slot) === periodOf(state.slot)) return;
      const waiting = waitingByKey(state);
      const earned = BigInt64Array.from({ length: state.validators.length }, (_, index) =>
        computeEarned(state, index, ledger, waiting),
      );
      looks.push({ slot: state.slot, earned });
      const limit = Math.max(
        1,
        Math.min(RECENT_PERIODS, Math.floor(RECENT_BYTES_LIMIT / (8 * earned.length || 1))),
      );
      while (looks.length > limit) looks.shift();
    },
    oldest(index) {
      for (const { slot, earned } of looks) {
        const value = earned[index];
        if (value !== undefined) return { slot, earned: value };
      }
      return undefined;
    },
  };
}

export function rewardRoutes(view: RestView, ledger: StakeLedger, history: RewardHistory): readonly Route[] {
  return [
    get("/jurat/v1/rewards", ({ query }) => {
      const ids = listOf(query, "id");
      if (ids.length === 0) throw new RestError(400, "Invalid id: name validators by index or key");
      if (ids.length > IDS_LIMIT) throw new RestError(414, "Too many validator IDs in request");
      const state = settledState(view, ledger);
      const waiting = waitingByKey(state);
      const data = ids.map((id) => {
        const index = indexOf(state, id, view.params);
        if (index === undefined) throw notFound(`Validator not found: ${id}`);
        return describe(state, index, ledger, history, waiting);
      });
      return {
        kind: "json",
        value: {
          finalized: true,
          slot: String(state.slot),
          since_slot: String(ledger.baseSlot()),
          period: String(computePeriodAtSlot(state.slot, view.params)),
          data,
        },
      };
    }),
  ];
}

/** The finalized state, when the ledger has come as far. */
function settledState({ engine, genesis }: RestView, ledger: StakeLedger): ConsensusState {
  const state = getState(engine.states, engine.settled.root) ?? genesis.state;
  const slot = ledger.slot();
  if (slot !== undefined && slot >= state.slot) return state;
  throw new RestError(
    503,
    `The ledger of stakes is at slot ${slot ?? 0} of ${state.slot}; ask again in a moment`,
  );
}

function describe(
  state: ConsensusState,
  index: ValidatorIndex,
  ledger: StakeLedger,
  history: RewardHistory,
  waiting: ReadonlyMap<string, Gwei>,
): JsonObject {
  const { pubkey } = state.validators.getReadonly(index);
  const { baseBalance, deposited, withdrawn } = ledger.flowsOf(index, pubkey);
  const earned = computeEarned(state, index, ledger, waiting);
  const past = history.oldest(index);
  return {
    index: String(index),
    pubkey: toHex(pubkey),
    balance: String(state.balances.get(index)),
    pending: String(waiting.get(toHex(pubkey)) ?? 0n),
    deposited: String((baseBalance ?? 0n) + deposited),
    withdrawn: String(withdrawn),
    earned: String(earned),
    recent:
      past === undefined ? null : { since_slot: String(past.slot), earned: String(earned - past.earned) },
  };
}

/** What is there and what was paid out, less what was put in. */
function computeEarned(
  state: ConsensusState,
  index: ValidatorIndex,
  ledger: StakeLedger,
  waiting: ReadonlyMap<string, Gwei>,
): Gwei {
  const { pubkey } = state.validators.getReadonly(index);
  const { baseBalance = 0n, deposited, withdrawn } = ledger.flowsOf(index, pubkey);
  const pending = waiting.size === 0 ? 0n : (waiting.get(toHex(pubkey)) ?? 0n);
  return state.balances.get(index) + pending + withdrawn - baseBalance - deposited;
}

/** Deposits that wait to be taken in, by key. */
function waitingByKey({ pendingDeposits }: ConsensusState): ReadonlyMap<string, Gwei> {
  const waiting = new Map<string, Gwei>();
  for (let i = 0; i < pendingDeposits.length; i++) {
    const { pubkey, amount } = pendingDeposits.getReadonly(i);
    waiting.set(toHex(pubkey), (waiting.get(toHex(pubkey)) ?? 0n) + amount);
  }
  return waiting;
}
