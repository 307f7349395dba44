/** What keys have signed, as a file that other clients read and write (EIP-3076). See specs/node/validator-keys.md#interchange. */
import { z } from "zod";
import type { Hash, Hex } from "../../primitives/bytes.ts";
import { CodedError } from "../../primitives/errors.ts";
import type { AttestationWatermark, BlockWatermark, Watermarks } from "../storage/slashing-protection.ts";

export class InterchangeError extends CodedError<
  | { readonly code: "INTERCHANGE_NOT_JSON" | "INTERCHANGE_TOO_LONG"; readonly reason: string }
  | { readonly code: "INTERCHANGE_MALFORMED"; readonly field: string; readonly reason: string }
  | { readonly code: "INTERCHANGE_OTHER_VERSION"; readonly expected: string; readonly actual: string }
  | { readonly code: "INTERCHANGE_OTHER_CHAIN"; readonly expected: Hash; readonly actual: Hash }
> {}

export const INTERCHANGE_VERSION = "5";
/** A complete history of a thousand keys over years is this long; anything longer is a mistake. */
export const INTERCHANGE_LIMIT_BYTES = 512 * 1024 * 1024;

const hex = (bytes: number) =>
  z
    .string()
    .regex(new RegExp(`^0x[0-9a-fA-F]{${2 * bytes}}$`), `expected ${bytes} bytes of hex`)
    .transform((text) => text.toLowerCase() as Hex);
/** Text in the format; a number that is not exact in 53 bits is none of a real chain. */
const number = z
  .string()
  .regex(/^\d{1,16}$/, "expected a decimal number in quotes")
  .transform(Number)
  .refine(Number.isSafeInteger, "expected a number below 2^53");
const Interchange = z.object({
  metadata: z.object({ interchange_format_version: z.string(), genesis_validators_root: hex(32) }),
  data: z.array(
    z.object({
      pubkey: hex(48),
      signed_blocks: z.array(z.object({ slot: number, signing_root: hex(32).optional() })),
      signed_attestations: z.array(
        z
          .object({ source_epoch: number, target_epoch: number, signing_root: hex(32).optional() })
          .refine((vote) => vote.source_epoch <= vote.target_epoch, "expected a source not after its target"),
      ),
    }),
  ),
});

/**
 * The histories in a file, complete or minimal, one per key: of each the maximum, as the EIP advises signers that keep
 * only the latest messages.
 *
 * @param genesisValidatorsRoot of the chain the keys sign for: a history of another one must not be mixed in.
 * @throws InterchangeError and then nothing of the file may be used.
 */
export function parseInterchange(text: string, genesisValidatorsRoot: Hash): readonly Watermarks[] {
  const { metadata, data } = readFormat(text);
  const version = metadata.interchange_format_version;
  if (version !== INTERCHANGE_VERSION) {
    throw new InterchangeError({
      code: "INTERCHANGE_OTHER_VERSION",
      expected: INTERCHANGE_VERSION,
      actual: version,
    });
  }
  if (metadata.genesis_validators_root !== genesisValidatorsRoot) {
    throw new InterchangeError({
      code: "INTERCHANGE_OTHER_CHAIN",
      expected: genesisValidatorsRoot,
      actual: metadata.genesis_validators_root,
    });
  }
  const byKey = new Map<Hex, { blocks: BlockWatermark[]; votes: AttestationWatermark[] }>();
  for (const { pubkey, signed_blocks, signed_attestations } of data) {
    const known = byKey.get(pubkey) ?? { blocks: [], votes: [] };
    byKey.set(pubkey, known);
    for (const block of signed_blocks)
      known.blocks.push({ slot: block.slot, signingRoot: block.signing_root });
    for (const vote of signed_attestations) {
      known.votes.push({
        sourceEpoch: vote.source_epoch,
        targetEpoch: vote.target_epoch,
        signingRoot: vote.signing_root,
      });
    }
  }
  return [...byKey].map(([publicKey, { blocks, votes }]) => ({
    publicKey,
    attestation: highestVotes(votes),
    block: highestBlock(blocks),
  }));
}

function readFormat(text: string): z.infer<typeof Interchange> {
  if (text.length > INTERCHANGE_LIMIT_BYTES) {
    throw new InterchangeError({
      code: "INTERCHANGE_TOO_LONG",
      reason: `above ${INTERCHANGE_LIMIT_BYTES} bytes`,
    });
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new InterchangeError({ code: "INTERCHANGE_NOT_JSON", reason }, { cause });
  }
  const parsed = Interchange.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new InterchangeError({
    code: "INTERCHANGE_MALFORMED",
    field: issue?.path.join(".") ?? "",
    reason: issue?.message ?? "",
  });
}

/** Highest source and target, not always of one vote. The root is the target's, when no two votes share it. */
function highestVotes(votes: readonly AttestationWatermark[]): AttestationWatermark | undefined {
  if (votes.length === 0) return undefined;
  const targetEpoch = votes.reduce((highest, vote) => Math.max(highest, vote.targetEpoch), 0);
  const sourceEpoch = votes.reduce((highest, vote) => Math.max(highest, vote.sourceEpoch), 0);
  const roots = new Set(
    votes.filter((vote) => vote.targetEpoch === targetEpoch).map((vote) => vote.signingRoot),
  );
  return { sourceEpoch, targetEpoch, signingRoot: onlyOne(roots) };
}

function highestBlock(blocks: readonly BlockWatermark[]): BlockWatermark | undefined {
  if (blocks.length === 0) return undefined;
  const slot = blocks.reduce((highest, block) => Math.max(highest, block.slot), 0);
  const roots = new Set(blocks.filter((block) => block.slot === slot).map((block) => block.signingRoot));
  return { slot, signingRoot: onlyOne(roots) };
}

function onlyOne(roots: ReadonlySet<Hash | undefined>): Hash | undefined {
  return roots.size === 1 ? [...roots][0] : undefined;
}

/** A minimal interchange: the latest messages of each key, which forbid everything before them. */
export function encodeInterchange(histories: readonly Watermarks[], genesisValidatorsRoot: Hash): string {
  const rootField = (signingRoot: Hash | undefined) =>
    signingRoot === undefined ? {} : { signing_root: signingRoot };
  const value: z.input<typeof Interchange> = {
    metadata: {
      interchange_format_version: INTERCHANGE_VERSION,
      genesis_validators_root: genesisValidatorsRoot,
    },
    data: histories.map(({ publicKey, attestation, block }) => ({
      pubkey: publicKey,
      signed_blocks:
        block === undefined ? [] : [{ slot: String(block.slot), ...rootField(block.signingRoot) }],
      signed_attestations:
        attestation === undefined
          ? []
          : [
              {
                source_epoch: String(attestation.sourceEpoch),
                target_epoch: String(attestation.targetEpoch),
                ...rootField(attestation.signingRoot),
              },
            ],
    })),
  };
  return `${JSON.stringify(value, null, 2)}\n`;
}
