/** What this node's keys sign and put into blocks, tied to the engine. See specs/node/validator-keys.md. */
import type { EngineEvent } from "../../consensus/engine-events.ts";
import type { Engine } from "../../consensus/engine-state.ts";
import type { ConsensusState } from "../../consensus/state.ts";
import { getState } from "../../consensus/state-cache.ts";
import { type Hex, toHex, utf8ToBytes, ZERO_ADDRESS } from "../../primitives/bytes.ts";
import type { ConsensusParts } from "../consensus-side.ts";
import type { NodeMetrics } from "../metrics/consensus-metrics.ts";
import { GRAFFITI_LIMIT_BYTES } from "../proposal-limits.ts";
import type { RestServer } from "../rest/rest-server.ts";
import type { Database } from "../storage/database.ts";
import { SlashingProtection } from "../storage/slashing-protection.ts";
import { indicesOfKeys } from "../validator/key-indices.ts";
import { openProposalPreferences, type ProposalPreferences } from "../validator/proposal-preferences.ts";
import { createRemoteSigner } from "../validator/remote-signer.ts";
import { createSigner, type Signer } from "../validator/signer.ts";
import { startKeymanager } from "../validator/start-keymanager.ts";
import { createOwnValidators, type OwnValidators } from "./own-validators.ts";
import type { EffectPorts } from "./run-effects.ts";

/** Share of a slot in which transactions are added to a block of ours. */
const BUILD_SHARE = 0.15;

export type OwnDuties = {
  readonly own: OwnValidators;
  readonly signer: Signer;
  readonly proposals: EffectPorts["proposals"];
  /** No signer elsewhere is waited for any more, and no key comes or goes. */
  close(): Promise<void>;
  /** Undefined without --keymanager. Rejects when its port is taken or its token cannot be read. */
  startKeymanager(): Promise<RestServer | undefined>;
};

type DutyPorts = {
  readonly engine: Engine;
  readonly metrics: NodeMetrics;
  readonly submit: (event: EngineEvent) => void;
  /** When the process began, since genesis; negative before it. */
  readonly startMs: number;
  /** The database, its writes measured. */
  timed(database: Database): Database;
};

export function openOwnDuties(parts: ConsensusParts, ports: DutyPorts): OwnDuties {
  const { config, keyring, logOf } = parts;
  const { engine, metrics, submit, startMs, timed } = ports;
  const protection = new SlashingProtection(timed(parts.validatorDatabase));
  const startSlot = Math.floor(startMs / (parts.spec.params.slotSeconds * 1000));
  const preferences = openProposalPreferences(config.dir);
  const own = ownValidatorsOf(parts, engine, submit, startSlot);
  const stopping = new AbortController();
  let keymanager: RestServer | undefined;
  const signer = openSigner(parts, engine, metrics, protection, stopping.signal);
  return {
    ...{ own, signer, proposals: proposalsOf(parts, engine, preferences) },
    async startKeymanager() {
      keymanager = await startKeymanager({
        ...{ config, engine, keyring, protection, preferences, own, signer },
        log: logOf("validator"),
      });
      return keymanager;
    },
    async close() {
      stopping.abort();
      await keymanager?.close();
    },
  };
}

/** Share of a slot after which a signature from elsewhere is of no use. */
const REMOTE_SHARE = 0.5;

function openSigner(
  { keyring, logOf, spec }: ConsensusParts,
  engine: Engine,
  metrics: NodeMetrics,
  protection: SlashingProtection,
  stopped: AbortSignal,
): Signer {
  const log = logOf("validator");
  const askRemotely = createRemoteSigner({
    chain: engine.chain,
    deadlineMs: spec.params.slotSeconds * 1000 * REMOTE_SHARE,
    stopped,
  });
  return createSigner({
    keyring,
    protection,
    publicKeyOf: (index) => publicKeyOf(engine, index),
    onRefused(publicKey, refusal) {
      metrics.signaturesRefused.inc();
      log.warn({ publicKey, ...refusal }, "not signed: it could be slashed");
    },
    async signRemotely(url, publicKey, message, signingRoot) {
      const answer = await askRemotely(url, publicKey, message, signingRoot);
      const isSigned = "signature" in answer;
      metrics.remoteSignatures.inc({ result: isSigned ? "SIGNED" : answer.fault });
      if (isSigned) return answer.signature;
      if (!stopped.aborted)
        log.warn({ publicKey, url, type: message.type, ...answer }, "the remote signer did not sign");
      return undefined;
    },
  });
}

/** Who has duties from the start: nobody, when the node is to listen first. */
export function firstValidatorsOf({ config, keyring }: ConsensusParts) {
  return (state: ConsensusState) => (config.doppelganger ? [] : indicesOfKeys(state, keyring));
}

function ownValidatorsOf(
  { config, keyring, logOf, fatal }: ConsensusParts,
  engine: Engine,
  submit: (event: EngineEvent) => void,
  startSlot: number,
): OwnValidators {
  const parts = { engine, keyring, submit, startSlot, log: logOf("validator"), fatal };
  return createOwnValidators({ ...parts, listensFirst: config.doppelganger });
}

/** Of the key's own preferences, and where it has none of the flags. */
function proposalsOf(
  { config, spec }: ConsensusParts,
  engine: Engine,
  preferences: ProposalPreferences,
): EffectPorts["proposals"] {
  const budgetMs = spec.params.slotSeconds * 1000 * BUILD_SHARE;
  const extraData = utf8ToBytes("jurat");
  return (proposerIndex) => {
    const publicKey = publicKeyOf(engine, proposerIndex);
    const own = publicKey === undefined ? {} : preferences.of(publicKey);
    return {
      feeRecipient: own.feeRecipient ?? config.feeRecipient ?? ZERO_ADDRESS,
      gasLimitTarget: BigInt(own.gasLimit ?? config.gasLimit),
      graffiti: own.graffiti === undefined ? undefined : graffitiBytes(own.graffiti),
      ...{ extraData, budgetMs },
    };
  };
}

/** As it stands in a block: filled up with zeros. */
export function graffitiBytes(text: string): Uint8Array {
  const bytes = new Uint8Array(GRAFFITI_LIMIT_BYTES);
  bytes.set(utf8ToBytes(text));
  return bytes;
}

/** A validator's index never changes meaning: the head's registry knows all that have duties. */
function publicKeyOf({ states, store }: Engine, index: number): Hex | undefined {
  const validators = getState(states, store.headRoot)?.validators;
  return validators === undefined || index >= validators.length
    ? undefined
    : toHex(validators.getReadonly(index).pubkey);
}
