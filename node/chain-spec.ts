/** The JSON file that defines a chain: everything its nodes must agree on. See specs/consensus/genesis.md#chain-spec. */
import { readFileSync } from "node:fs";
import { z } from "zod";
import type { ChainParams } from "../consensus/params.ts";
import { DEVNET_PARAMS, LARGE_PARAMS, PUBLIC_PARAMS, TESTNET_PARAMS } from "../consensus/presets.ts";
import { parseAddress } from "../primitives/address.ts";
import type { Address, Hash, Hex } from "../primitives/bytes.ts";

/** Raised for a file that is missing, no JSON, or no chain spec: the message says what and where. */
export class ChainSpecError extends Error {
  override readonly name = "ChainSpecError";
}

const PRESETS: Readonly<Record<string, ChainParams>> = {
  devnet: DEVNET_PARAMS,
  testnet: TESTNET_PARAMS,
  public: PUBLIC_PARAMS,
  large: LARGE_PARAMS,
};

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
    .regex(/^0x([0-9a-fA-F]{2})*$/)
    .transform((text) => text.toLowerCase() as Hex)
    .optional(),
  storage: z.record(word, word).optional(),
});
const ChainSpec = z.strictObject({
  name: z.string().max(100),
  preset: z.enum(["devnet", "testnet", "public", "large"]),
  /** EIP-155; also the network id. */
  chainId: z.int().positive(),
  /** Seconds since 1970. */
  genesisTime: z.int().positive(),
  slotSeconds: z.int().positive().max(60).optional(),
  alloc: z
    .record(address, GenesisAccount)
    .refine((alloc) => Object.keys(alloc).length <= GENESIS_ALLOC_LIMIT),
  validators: z
    .array(z.strictObject({ publicKey: hex(48), withdrawalAddress: address, amountGwei: amount }))
    .min(1)
    .max(VALIDATOR_LIMIT),
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
    throw new ChainSpecError(`cannot read the chain spec ${path}`, { cause });
  }
  return parseChainSpec(text, path);
}

/** @param name the file's name, for the message. @throws ChainSpecError */
export function parseChainSpec(text: string, name: string): ChainSpec {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new ChainSpecError(`${name} is not JSON: ${cause instanceof Error ? cause.message : cause}`, {
      cause,
    });
  }
  const parsed = ChainSpec.safeParse(value);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new ChainSpecError(
      `${name} is no chain spec: ${issue?.path.join(".") || "top level"}: ${issue?.message}`,
    );
  }
  const { preset, slotSeconds } = parsed.data;
  const base = PRESETS[preset];
  if (base === undefined) throw new ChainSpecError(`${name} names the unknown preset ${preset}`);
  const params = slotSeconds === undefined ? base : { ...base, slotSeconds };
  return { ...parsed.data, params: Object.freeze(params) };
}
