/** What each validator key has signed, so that it never signs a slashable message. See specs/node/storage.md#slashing-protection. */
import { bytesToBigInt, EMPTY_BYTES, fromHex, type Hash, type Hex, toHex } from "../../primitives/bytes.ts";
import { assert } from "../../primitives/errors.ts";
import { decodeRlp, encodeRlp } from "../../primitives/rlp.ts";
import type { Database, Table } from "./database.ts";
import { numberKey } from "./state-codec.ts";

export type AttestationToSign = {
  readonly publicKey: Hex;
  readonly sourceEpoch: number;
  readonly targetEpoch: number;
  readonly signingRoot: Hash;
};

export type BlockToSign = { readonly publicKey: Hex; readonly slot: number; readonly signingRoot: Hash };

/** Why a message must not be signed: what was asked for, and the highest signed before. */
export type SigningRefusal =
  | { readonly code: "ATTESTATION_SOURCE_AFTER_TARGET"; readonly source: number; readonly target: number }
  | { readonly code: "ATTESTATION_SOURCE_LOWER"; readonly source: number; readonly signedSource: number }
  | { readonly code: "ATTESTATION_TARGET_NOT_HIGHER"; readonly target: number; readonly signedTarget: number }
  | { readonly code: "BLOCK_SLOT_NOT_HIGHER"; readonly slot: number; readonly signedSlot: number };

/** Highest epochs one key voted with, and what it signed last at that target. */
export type AttestationWatermark = {
  readonly sourceEpoch: number;
  readonly targetEpoch: number;
  /** Undefined when it came from an interchange file without one: then nothing is signed again. */
  readonly signingRoot: Hash | undefined;
};

export type BlockWatermark = { readonly slot: number; readonly signingRoot: Hash | undefined };

/** The highest messages of one key. */
export type Watermarks = {
  readonly publicKey: Hex;
  readonly attestation: AttestationWatermark | undefined;
  readonly block: BlockWatermark | undefined;
};

/**
 * EIP-3076's minimal condition: a key's sources never decrease and its targets and block slots always
 * increase, which excludes double votes and both directions of surround votes. The very same message
 * may be signed again.
 */
export class SlashingProtection {
  readonly #database: Database;
  readonly #attestations: Table;
  readonly #blocks: Table;

  constructor(database: Database) {
    this.#database = database;
    this.#attestations = database.table("signed-attestations");
    this.#blocks = database.table("signed-blocks");
  }

  /**
   * For each message undefined, and then it is recorded and may be signed, or the reason why not.
   * Resolves when the records are on disk: only then may anything be signed. One flush for all.
   */
  async checkAndInsertAttestations(
    messages: readonly AttestationToSign[],
  ): Promise<readonly (SigningRefusal | undefined)[]> {
    const verdicts = await this.#database.commit(() => messages.map((message) => this.#attest(message)));
    await this.#database.flushed();
    return verdicts;
  }

  /** As checkAndInsertAttestations, for one block proposal. */
  async checkAndInsertBlock(message: BlockToSign): Promise<SigningRefusal | undefined> {
    const verdict = await this.#database.commit(() => this.#propose(message));
    await this.#database.flushed();
    return verdict;
  }

  attestationWatermark(publicKey: Hex): AttestationWatermark | undefined {
    const fields = readFields(this.#attestations, publicKey);
    if (fields === undefined) return undefined;
    const [sourceEpoch, targetEpoch, signingRoot] = fields;
    return {
      sourceEpoch: asNumber(sourceEpoch),
      targetEpoch: asNumber(targetEpoch),
      signingRoot: asRoot(signingRoot),
    };
  }

  blockWatermark(publicKey: Hex): BlockWatermark | undefined {
    const fields = readFields(this.#blocks, publicKey);
    return fields === undefined ? undefined : { slot: asNumber(fields[0]), signingRoot: asRoot(fields[1]) };
  }

  #attest(message: AttestationToSign): SigningRefusal | undefined {
    const { publicKey, sourceEpoch: source, targetEpoch: target, signingRoot } = message;
    if (source > target) return { code: "ATTESTATION_SOURCE_AFTER_TARGET", source, target };
    const signed = this.attestationWatermark(publicKey);
    if (signed !== undefined) {
      if (source < signed.sourceEpoch) {
        return { code: "ATTESTATION_SOURCE_LOWER", source, signedSource: signed.sourceEpoch };
      }
      const isSame = source === signed.sourceEpoch && target === signed.targetEpoch;
      if (isSame && signingRoot === signed.signingRoot) return undefined;
      if (target <= signed.targetEpoch) {
        return { code: "ATTESTATION_TARGET_NOT_HIGHER", target, signedTarget: signed.targetEpoch };
      }
    }
    const fields = [numberKey(source), numberKey(target), fromHex(signingRoot)];
    this.#attestations.put(fromHex(publicKey), encodeRlp(fields));
    return undefined;
  }

  #propose({ publicKey, slot, signingRoot }: BlockToSign): SigningRefusal | undefined {
    const signed = this.blockWatermark(publicKey);
    if (signed !== undefined) {
      if (slot === signed.slot && signingRoot === signed.signingRoot) return undefined;
      if (slot <= signed.slot) return { code: "BLOCK_SLOT_NOT_HIGHER", slot, signedSlot: signed.slot };
    }
    this.#blocks.put(fromHex(publicKey), encodeRlp([numberKey(slot), fromHex(signingRoot)]));
    return undefined;
  }

  /**
   * Raises a key's watermarks to at least these, as an EIP-3076 interchange file asks for. Never lowers one.
   * Resolves when it is on disk.
   */
  async raiseWatermarks(
    publicKey: Hex,
    attestation: AttestationWatermark | undefined,
    block: BlockWatermark | undefined,
  ): Promise<void> {
    await this.raiseAll([{ publicKey, attestation, block }]);
  }

  /** The same for many keys: all of them or, when the process dies, none. */
  async raiseAll(histories: readonly Watermarks[]): Promise<void> {
    await this.#database.commit(() => {
      for (const { publicKey, attestation, block } of histories) {
        if (attestation !== undefined) this.#raiseAttestation(publicKey, attestation);
        if (block !== undefined) this.#raiseBlock(publicKey, block);
      }
    });
    await this.#database.flushed();
  }

  /** Keys that have signed anything, or of which it was imported. */
  publicKeys(): readonly Hex[] {
    const keys = [this.#attestations, this.#blocks].flatMap((table) =>
      [...table.range({})].map(({ key }) => toHex(key)),
    );
    return [...new Set(keys)].sort();
  }

  historyOf(publicKey: Hex): Watermarks {
    const attestation = this.attestationWatermark(publicKey);
    return { publicKey, attestation, block: this.blockWatermark(publicKey) };
  }

  /** Two different blocks at the highest slot leave no root: neither may be signed again. */
  #raiseBlock(publicKey: Hex, block: BlockWatermark): void {
    const signed = this.blockWatermark(publicKey);
    if (signed !== undefined && signed.slot > block.slot) return;
    const isOther = signed?.slot === block.slot && signed.signingRoot !== block.signingRoot;
    const signingRoot = isOther ? undefined : block.signingRoot;
    this.#blocks.put(fromHex(publicKey), encodeRlp([numberKey(block.slot), rootField(signingRoot)]));
  }

  #raiseAttestation(publicKey: Hex, raised: AttestationWatermark): void {
    const signed = this.attestationWatermark(publicKey);
    const source = Math.max(raised.sourceEpoch, signed?.sourceEpoch ?? 0);
    const target = Math.max(raised.targetEpoch, signed?.targetEpoch ?? 0);
    // The signing root belongs to the higher target; two different messages at one target leave none.
    const atTarget = [raised, signed].filter((watermark) => watermark?.targetEpoch === target);
    const roots = new Set(atTarget.map((watermark) => watermark?.signingRoot));
    const signingRoot = roots.size === 1 ? [...roots][0] : undefined;
    const fields = [numberKey(source), numberKey(target), rootField(signingRoot)];
    this.#attestations.put(fromHex(publicKey), encodeRlp(fields));
  }
}

function readFields(table: Table, publicKey: Hex): readonly Uint8Array[] | undefined {
  const record = table.get(fromHex(publicKey));
  return record === undefined ? undefined : (decodeRlp(record) as readonly Uint8Array[]);
}

function asNumber(field: Uint8Array | undefined): number {
  assert(field !== undefined, "a stored watermark is whole");
  return Number(bytesToBigInt(field));
}

function rootField(root: Hash | undefined): Uint8Array {
  return root === undefined ? EMPTY_BYTES : fromHex(root);
}

function asRoot(field: Uint8Array | undefined): Hash | undefined {
  assert(field !== undefined, "a stored watermark is whole");
  return field.length === 0 ? undefined : toHex(field);
}
