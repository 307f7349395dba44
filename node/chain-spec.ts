/** The JSON file that defines a chain: everything its nodes must agree on. See specs/consensus/genesis.md#chain-spec. */
import { readFileSync } from "node:fs";
import { z } from "zod";
import type { ChainParams } from "../consensus/params.ts";
import { createParams, PRESETS, type PresetName } from "../consensus/presets.ts";
import { parseAddress } from "../primitives/address.ts";
import type { Address, Hash, Hex } from "../primitives/bytes.ts";
import { InvariantError } from "../primitives/errors.ts";
import { ForkSchedule, findForkIssues, toForkParams } from "./genesis/fork-schedule.ts";
import { brokenSpec, ChainSpecError, issuesOf, wrongValue } from "./genesis/spec-issues.ts";

const PRESET_NAMES = Object.keys(PRESETS) as [PresetName, ...PresetName[]];

const GENESIS_ALLOC_LIMIT = 1_000_000;
const VALIDATOR_LIMIT = 1_000_000;

const hex = (bytes: number) =>
  z
    .string()
    .regex(new RegExp(`^0x[0-9a-fA-F]{${2 * bytes}}$`), `expected ${bytes} bytes of hex`)
    .transform((text) => text.toLowerCase() as Hex);
const address = z.string().transform((text, context) => {
  const parsed = parseAddress(text);
  if (parsed === undefined) context.addIssue({ code: "custom", message: "expected an address" });
  return parsed ?? ("0x" as Address);
});
/** Decimal text, since JSON numbers are exact below 2^53 only. */
const amount = z
  .string()
  .regex(/^\d{1,78}$/, "expected a decimal number in quotes")
  .transform(BigInt);
const word = hex(32);
const GenesisAccount = z.strictObject({
  balance: amount.optional(),
  nonce: z.int().nonnegative().optional(),
  code: z
    .string()
    .regex(/^0x([0-9a-fA-F]{2})*$/, "expected whole bytes of hex")
    .transform((text) => text.toLowerCase() as Hex)
    .optional(),
  storage: z.record(word, word).optional(),
});
const GenesisValidators = z
  .array(z.strictObject({ publicKey: hex(48), withdrawalAddress: address, amountGwei: amount }))
  .min(1, "expected at least one validator")
  .max(VALIDATOR_LIMIT);
const GenesisAllocation = z
  .record(address, GenesisAccount)
  .refine((alloc) => Object.keys(alloc).length <= GENESIS_ALLOC_LIMIT, {
    message: `expected at most ${GENESIS_ALLOC_LIMIT} accounts`,
  });
const ChainSpec = z.strictObject({
  name: z.string().max(100),
  preset: z.enum(PRESET_NAMES),
  /** EIP-155; also the network id. */
  chainId: z.int().positive(),
  /** Seconds since 1970. */
  genesisTime: z.int().positive(),
  slotSeconds: z.int().positive().max(60).optional(),
  /** The preset's when it is left out. */
  forks: ForkSchedule.optional(),
  alloc: GenesisAllocation,
  validators: GenesisValidators,
});

export type GenesisAccountSpec = {
  readonly balance?: bigint | undefined;
  readonly nonce?: number | undefined;
  readonly code?: Hex | undefined;
  readonly storage?: Readonly<Record<Hash, Hash>> | undefined;
};

export type ChainSpec = Omit<z.infer<typeof ChainSpec>, "alloc"> & {
  readonly params: ChainParams;
  readonly alloc: Readonly<Record<Address, GenesisAccountSpec>>;
};

/** @throws ChainSpecError */
export function readChainSpec(path: string): ChainSpec {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (cause) {
    const reason = cause instanceof Error ? `: ${cause.message}` : "";
    throw new ChainSpecError(`cannot read the chain spec ${path}${reason}`, [], { cause });
  }
  return parseChainSpec(text, path);
}

/** @param name the file's name, for the message. @throws ChainSpecError */
export function parseChainSpec(text: string, name: string): ChainSpec {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new ChainSpecError(`${name} is not JSON: ${reason}`, [], { cause });
  }
  const parsed = ChainSpec.safeParse(value);
  if (!parsed.success) throw brokenSpec(name, issuesOf(parsed.error, value));
  assertAccountsDiffer(name, (value as { readonly alloc: object }).alloc);
  return { ...parsed.data, params: paramsOf(parsed.data, name) };
}

/** One account written twice, in different cases, would count once. */
function assertAccountsDiffer(name: string, alloc: object): void {
  const known = new Set<string>();
  for (const key of Object.keys(alloc)) {
    const path = `alloc.${key}`;
    if (known.has(key.toLowerCase())) {
      throw brokenSpec(name, [wrongValue(path, "each account once", key)]);
    }
    known.add(key.toLowerCase());
  }
}

function paramsOf({ preset, slotSeconds, forks }: z.infer<typeof ChainSpec>, name: string): ChainParams {
  const { periodSlots, forks: presetForks } = PRESETS[preset];
  const base = { periodSlots, slotsPerEpoch: presetForks[0]?.slotsPerEpoch ?? 1 };
  const issues = forks === undefined ? [] : findForkIssues(forks, base);
  if (issues.length > 0) throw brokenSpec(name, issues);
  try {
    return createParams(preset, {
      ...(slotSeconds === undefined ? {} : { slotSeconds }),
      ...(forks === undefined ? {} : { forks: toForkParams(forks, base) }),
    });
  } catch (cause) {
    if (!(cause instanceof InvariantError)) throw cause;
    // What the fields say each is right; together with the preset it is not.
    throw brokenSpec(name, [{ path: "preset", problem: cause.message }], { cause });
  }
}
