/** Signs what the engine wishes, after the slashing protection has it on disk. See specs/node/validator-keys.md#signing. */
import type { VoluntaryExit } from "../../consensus/containers.ts";
import type { Effect } from "../../consensus/engine-events.ts";
import { blsSign } from "../../primitives/bls.ts";
import { type Hex, toHex } from "../../primitives/bytes.ts";
import type { SigningRefusal, SlashingProtection } from "../storage/slashing-protection.ts";
import type { Keyring } from "./keyring.ts";
import type { SigningMessage } from "./signing-message.ts";

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
  /** Has it signed elsewhere; undefined when it was not, for whatever reason. Never rejects. */
  signRemotely(
    url: string,
    publicKey: Hex,
    message: SigningMessage,
    signingRoot: Uint8Array,
  ): Promise<Uint8Array | undefined>;
};

/**
 * What could be slashed takes `onProtected`: called once its watermarks are on disk, when others may have the disk and
 * only a signature is still waited for. It is called also when nothing will be signed.
 */
export type Signer = {
  signAttestation(wish: Wish<"signAttestation">, onProtected?: () => void): Promise<Signatures>;
  signBlock(wish: Wish<"signBlock">, onProtected?: () => void): Promise<Signatures>;
  signRandao(wish: Wish<"signRandao">): Promise<Signatures>;
  signSelections(wish: Wish<"signSelections">): Promise<Signatures>;
  signAggregates(wish: Wish<"signAggregates">): Promise<Signatures>;
  signExit(publicKey: Hex, exit: VoluntaryExit, signingRoot: Uint8Array): Promise<Uint8Array | undefined>;
};

export function createSigner(ports: SignerPorts): Signer {
  const { keyring, protection, publicKeyOf, onRefused } = ports;
  /** Undefined for a validator whose key is not here. */
  const ownKeyOf = (validatorIndex: number): Hex | undefined => {
    const publicKey = publicKeyOf(validatorIndex);
    return publicKey !== undefined && keyring.has(publicKey) ? publicKey : undefined;
  };
  const sign = (publicKey: Hex | undefined, message: SigningMessage, signingRoot: Uint8Array) =>
    signWith(ports, publicKey, message, signingRoot);

  return {
    /** Votes: one flush to disk for all keys of this node, then the signatures. */
    async signAttestation({ validatorIndices, data, signingRoot }, onProtected) {
      const keys = validatorIndices.map(ownKeyOf);
      const [sourceEpoch, targetEpoch] = [data.source.epoch, data.target.epoch];
      const messages = keys.flatMap((publicKey) =>
        publicKey === undefined
          ? []
          : { publicKey, sourceEpoch, targetEpoch, signingRoot: toHex(signingRoot) },
      );
      const verdicts = await protection.checkAndInsertAttestations(messages);
      onProtected?.();
      const refusals = new Map(messages.map(({ publicKey }, index) => [publicKey, verdicts[index]]));
      return Promise.all(
        keys.map(async (publicKey) => {
          const refusal = publicKey === undefined ? undefined : refusals.get(publicKey);
          if (publicKey === undefined || refusal === undefined) {
            return sign(publicKey, { type: "ATTESTATION", attestation: data }, signingRoot);
          }
          onRefused(publicKey, refusal);
          return undefined;
        }),
      );
    },

    async signBlock({ validatorIndex, slot, header, signingRoot }, onProtected) {
      const publicKey = ownKeyOf(validatorIndex);
      if (publicKey === undefined) {
        onProtected?.();
        return [undefined];
      }
      const block = { publicKey, slot, signingRoot: toHex(signingRoot) };
      const refusal = await protection.checkAndInsertBlock(block);
      onProtected?.();
      if (refusal === undefined) return [await sign(publicKey, { type: "BLOCK_V2", header }, signingRoot)];
      onRefused(publicKey, refusal);
      return [undefined];
    },

    /** A randao reveal is the same however often it is signed: nothing to protect. */
    async signRandao({ validatorIndex, epoch, signingRoot }) {
      return [await sign(ownKeyOf(validatorIndex), { type: "RANDAO_REVEAL", epoch }, signingRoot)];
    },

    /** Says nothing that could be slashed, as the aggregate below. */
    signSelections: ({ validatorIndices, slot, signingRoot }) =>
      Promise.all(
        validatorIndices.map((index) =>
          sign(ownKeyOf(index), { type: "AGGREGATION_SLOT", slot }, signingRoot),
        ),
      ),

    signAggregates: ({ aggregates }) =>
      Promise.all(
        aggregates.map(({ message: aggregate, signingRoot }) => {
          const publicKey = ownKeyOf(aggregate.aggregatorIndex);
          return sign(publicKey, { type: "AGGREGATE_AND_PROOF", aggregate }, signingRoot);
        }),
      ),

    /** Leaving is nobody's offence. */
    signExit: (publicKey, exit, signingRoot) =>
      sign(publicKey, { type: "VOLUNTARY_EXIT", exit }, signingRoot),
  };
}

/** A key may be taken away while its watermark goes to the disk or a signer is asked: then there is no signature. */
async function signWith(
  { keyring, signRemotely }: SignerPorts,
  publicKey: Hex | undefined,
  message: SigningMessage,
  signingRoot: Uint8Array,
): Promise<Uint8Array | undefined> {
  const key = publicKey === undefined ? undefined : keyring.get(publicKey);
  if (publicKey === undefined || key === undefined) return undefined;
  if (key.kind === "local") return blsSign(key.secretKey, signingRoot);
  const signature = await signRemotely(key.url, publicKey, message, signingRoot);
  return keyring.get(publicKey) === key ? signature : undefined;
}
