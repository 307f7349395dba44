/** What single keys put into their blocks, where it differs from the node's flags. See specs/node/keymanager.md#what-a-key-proposes. */
import { mkdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { z } from "zod";
import { parseAddress } from "../../primitives/address.ts";
import type { Address, Hex } from "../../primitives/bytes.ts";
import { GRAFFITI_LIMIT_BYTES, MAX_GAS_LIMIT, MIN_GAS_LIMIT } from "../proposal-limits.ts";
import { KEY_FOLDER } from "./key-folder.ts";
import { KeyringError } from "./keyring.ts";
import { writePrivateFile } from "./private-file.ts";

const FILE = "proposals.json";

const feeRecipient = z.string().transform((text, context): Address => {
  const parsed = parseAddress(text);
  if (parsed === undefined || BigInt(parsed) === 0n) {
    context.addIssue({ code: "custom", message: "expected an address that is not zero" });
    return z.NEVER;
  }
  return parsed;
});
const graffiti = z
  .string()
  .refine(
    (text) => Buffer.byteLength(text) <= GRAFFITI_LIMIT_BYTES,
    `expected at most ${GRAFFITI_LIMIT_BYTES} bytes`,
  );
/** Text, as the API writes 64-bit numbers. */
const gasLimit = z
  .string()
  .regex(/^(0|[1-9]\d{0,19})$/, "expected a decimal number in quotes")
  .transform(Number)
  .refine(
    (gas) => gas >= MIN_GAS_LIMIT && gas <= MAX_GAS_LIMIT,
    `expected ${MIN_GAS_LIMIT} to ${MAX_GAS_LIMIT}`,
  )
  .transform(String);

const Preference = z.strictObject({
  feeRecipient: feeRecipient.optional(),
  graffiti: graffiti.optional(),
  gasLimit: gasLimit.optional(),
});
const PreferenceFile = z.record(z.string().regex(/^0x[0-9a-f]{96}$/), Preference);

/** Fields that are left out are the node's. */
export type ProposalPreference = {
  readonly feeRecipient?: Address | undefined;
  readonly graffiti?: string | undefined;
  readonly gasLimit?: string | undefined;
};

export type ProposalPreferences = {
  of(publicKey: Hex): ProposalPreference;
  /**
   * Sets a field, or with undefined leaves it to the node again; it holds from the next block on and over restarts.
   * @throws PreferenceError when the value is none for this field, and what the file system says.
   */
  set(publicKey: Hex, field: keyof ProposalPreference, value: unknown): Promise<void>;
  forget(publicKey: Hex): Promise<void>;
};

/** The message says what was expected. */
export class PreferenceError extends Error {
  override readonly name = "PreferenceError";
}

/** @throws KeyringError when the file was changed into something else. */
export function openProposalPreferences(directory: string): ProposalPreferences {
  const path = join(directory, KEY_FOLDER, FILE);
  const preferences = new Map(Object.entries(readPreferences(path))) as Map<Hex, ProposalPreference>;
  let written: Promise<void> = Promise.resolve();
  const replace = (publicKey: Hex, preference: ProposalPreference): Promise<void> => {
    const isEmpty = Object.values(preference).every((value) => value === undefined);
    if (isEmpty) preferences.delete(publicKey);
    else preferences.set(publicKey, preference);
    const write = async () => {
      mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
      await writePrivateFile(path, `${JSON.stringify(Object.fromEntries(preferences), null, 2)}\n`);
    };
    // One after the other: the last one leaves what holds.
    const turn = written.then(write, write);
    written = turn.catch(() => undefined);
    return turn;
  };
  const of = (publicKey: Hex): ProposalPreference => preferences.get(publicKey) ?? {};
  return {
    of,
    async set(publicKey, field, value) {
      const parsed = Preference.safeParse({ [field]: value });
      if (!parsed.success) throw new PreferenceError(parsed.error.issues[0]?.message ?? "invalid value");
      await replace(publicKey, { ...of(publicKey), [field]: parsed.data[field] });
    },
    async forget(publicKey) {
      if (preferences.has(publicKey)) await replace(publicKey, {});
    },
  };
}

function readPreferences(path: string): z.infer<typeof PreferenceFile> {
  try {
    return PreferenceFile.parse(JSON.parse(readFileSync(path, "utf8")));
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return {};
    const [issue] = cause instanceof z.ZodError ? cause.issues : [];
    const reason =
      issue === undefined ? String((cause as Error).message) : `${issue.path.join(".")}: ${issue.message}`;
    throw new KeyringError(`${path} cannot be read: ${reason}`, { cause });
  }
}
