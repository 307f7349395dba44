/** Signs what the engine wishes, after the slashing protection has it on disk. See specs/node/validator-keys.md#signing. */
import type { VoluntaryExit } from "../../consensus/containers.ts";
import type { Effect } from "../../consensus/engine-events.ts";
import { blsSign } from "../../primitives/bls.ts";
import { type Hex, toHex } from "../../primitives/bytes.ts";
import type { SigningRefusal, SlashingProtection } from "../storage/slashing-protection.ts";
import type { Keyring } from "./keyring.ts";

type Wish<Type extends Effect["type"]> = Extract<Effect, { readonly type: Type }>;

/** One signature per validator of the wish, in its order; undefined where signing was refused. */
export type Signatures = readonly (Uint8Array | undefined)[];

export type SignerPorts = {
  readonly keyring: Keyring;
  readonly protection: SlashingProtection;
  /** Public key of a validator index, from the finalized registry. */
  publicKeyOf(validatorIndex: number): Hex | undefined;
  /** Called for each refusal: an operator must hear of it. */
  onRefused(publicKey: Hex, refusal: SigningRefusal): void;
};

export function createSigner({ keyring, protection, publicKeyOf, onRefused }: SignerPorts) {
  const keyOf = (validatorIndex: number) => {
    const publicKey = publicKeyOf(validatorIndex);
    const secretKey = publicKey === undefined ? undefined : keyring.get(publicKey)?.secretKey;
    return publicKey === undefined || secretKey === undefined ? undefined : { publicKey, secretKey };
  };
  const signFreely = (validatorIndex: number, signingRoot: Uint8Array): Uint8Array | undefined => {
    const key = keyOf(validatorIndex);
    return key === undefined ? undefined : blsSign(key.secretKey, signingRoot);
  };

  /** A key may be taken away while its watermark is on the way to the disk: then it signs no more. */
  const signProtected = (publicKey: Hex, signingRoot: Uint8Array): Uint8Array | undefined => {
    const key = keyring.get(publicKey);
    return key === undefined ? undefined : blsSign(key.secretKey, signingRoot);
  };

  return {
    /** Votes: one flush to disk for all keys of this node, then the signatures. */
    async signAttestation({
      validatorIndices,
      data,
      signingRoot,
    }: Wish<"signAttestation">): Promise<Signatures> {
      const keys = validatorIndices.map(keyOf);
      const messages = keys.flatMap((key) =>
        key === undefined
          ? []
          : {
              publicKey: key.publicKey,
              sourceEpoch: data.source.epoch,
              targetEpoch: data.target.epoch,
              signingRoot: toHex(signingRoot),
            },
      );
      const verdicts = await protection.checkAndInsertAttestations(messages);
      const refusals = new Map(messages.map(({ publicKey }, index) => [publicKey, verdicts[index]]));
      return keys.map((key) => {
        if (key === undefined) return undefined;
        const refusal = refusals.get(key.publicKey);
        if (refusal !== undefined) {
          onRefused(key.publicKey, refusal);
          return undefined;
        }
        return signProtected(key.publicKey, signingRoot);
      });
    },

    async signBlock({ validatorIndex, slot, signingRoot }: Wish<"signBlock">): Promise<Signatures> {
      const key = keyOf(validatorIndex);
      if (key === undefined) return [undefined];
      const message = { publicKey: key.publicKey, slot, signingRoot: toHex(signingRoot) };
      const refusal = await protection.checkAndInsertBlock(message);
      if (refusal !== undefined) {
        onRefused(key.publicKey, refusal);
        return [undefined];
      }
      return [signProtected(key.publicKey, signingRoot)];
    },

    /** A randao reveal is the same however often it is signed: nothing to protect. */
    signRandao({ validatorIndex, signingRoot }: Wish<"signRandao">): Signatures {
      return [signFreely(validatorIndex, signingRoot)];
    },

    /** Says nothing that could be slashed, as the aggregate below. */
    signSelections({ validatorIndices, signingRoot }: Wish<"signSelections">): Signatures {
      return validatorIndices.map((validatorIndex) => signFreely(validatorIndex, signingRoot));
    },

    /** Leaving is nobody's offence. */
    async signExit(
      publicKey: Hex,
      _exit: VoluntaryExit,
      signingRoot: Uint8Array,
    ): Promise<Uint8Array | undefined> {
      return signProtected(publicKey, signingRoot);
    },

    signAggregates({ aggregates }: Wish<"signAggregates">): Signatures {
      return aggregates.map(({ message, signingRoot }) => signFreely(message.aggregatorIndex, signingRoot));
    },
  };
}

export type Signer = ReturnType<typeof createSigner>;
