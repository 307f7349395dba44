/** Carries out what the engine wishes. What must be on disk before the next step goes through one ordered queue. */
import type { ChainContainers } from "../../consensus/chain-containers.ts";
import { ProposerSlashing } from "../../consensus/containers.ts";
import type { Effect, EngineEvent, Evidence } from "../../consensus/engine-events.ts";
import type { ConsensusState } from "../../consensus/state.ts";
import { blsVerifySets } from "../../primitives/bls.ts";
import type { Address, Hash } from "../../primitives/bytes.ts";
import type { DiskWatch } from "../disk-watch.ts";
import type { ExecutionPort } from "../execution/port.ts";
import type { Logger } from "../log.ts";
import type { NodeMetrics } from "../metrics/consensus-metrics.ts";
import type { Network } from "../network/network-port.ts";
import type { PenaltyReason } from "../network/peer-score.ts";
import type { Slasher } from "../slasher/slasher.ts";
import type { ConsensusBlocks } from "../storage/consensus-blocks.ts";
import type { Signer } from "../validator/signer.ts";
import type { BlockCodec } from "./block-codec.ts";
import type { BlockOutcomes } from "./block-outcomes.ts";
import { createDutyEffects } from "./duty-effects.ts";
import { executeWithAncestors } from "./execute-payload.ts";
import type { InOrder } from "./in-order.ts";
import type { Lookahead } from "./lookahead.ts";
import type { SafetyFaultRecord } from "./safety-fault.ts";
import { createSignatureBatches, verifyEach } from "./signature-batches.ts";
import type { SlotReport } from "./slot-report.ts";
import { createStoreEffects } from "./store-effects.ts";
import type { SyncRunner } from "./sync-runner.ts";

export type EffectPorts = {
  readonly submit: (event: EngineEvent) => void;
  readonly codec: BlockCodec;
  readonly containers: ChainContainers;
  readonly blocks: ConsensusBlocks;
  readonly execution: ExecutionPort;
  readonly network: Pick<Network, "reportVerdict" | "penalize" | "publish" | "setSubnets">;
  readonly sync: SyncRunner;
  readonly signer: Omit<Signer, "signExit">;
  readonly outcomes: BlockOutcomes;
  /** Where blocks come by range sync. */
  readonly lookahead?: Lookahead | undefined;
  readonly inOrder: InOrder;
  readonly report: SlotReport;
  /** Of the validator with this index. */
  readonly proposals: (proposerIndex: number) => ProposalSettings;
  readonly safetyFault: Pick<SafetyFaultRecord, "record">;
  /** With --slasher. */
  readonly slasher?: Slasher | undefined;
  readonly log: Logger;
  readonly metrics: NodeMetrics;
  readonly disk: DiskWatch;
  /** Told the head's slot whenever the head or a checkpoint moved. */
  readonly onHead: (slot: number) => void;
  /** Someone else who wants to know the newest finalized state; must not throw. */
  readonly onFinalizedState: (state: ConsensusState) => void;
  /** A broken world on a path the node cannot do without. */
  readonly fatal: (error: unknown) => void;
};

export type ProposalSettings = {
  readonly feeRecipient: Address;
  readonly gasLimitTarget: bigint;
  readonly extraData: Uint8Array;
  /** The engine's own when left out. */
  readonly graffiti?: Uint8Array | undefined;
  /** How long transactions are added to a block of ours, in milliseconds. */
  readonly budgetMs: number;
};

type Wish<Type extends Effect["type"]> = Extract<Effect, { readonly type: Type }>;

const PENALTY_OF_FAULT: Readonly<Record<Wish<"penalizePeer">["fault"], PenaltyReason>> = {
  lie: "lie",
  unavailable: "unavailable",
  timeout: "timeout",
};

/** Begins one wish. Never throws; answers come as events. */
export function createEffectRunner(ports: EffectPorts): (effect: Effect) => void {
  const { submit, network, metrics, log, outcomes, sync } = ports;
  const store = createStoreEffects(ports);
  const duties = createDutyEffects(ports);
  const verifySignatures = createVerifier(ports);
  return (effect) => {
    switch (effect.type) {
      case "verifySignatures":
        verifySignatures(effect);
        break;
      case "executePayload":
        execute(ports, effect);
        break;
      case "gossipVerdict":
        settleGossip(ports, effect);
        break;
      case "penalizePeer":
        log.info({ peer: effect.peer, fault: effect.fault, reason: effect.reason }, "peer penalized");
        network.penalize(effect.peer, PENALTY_OF_FAULT[effect.fault]);
        break;
      case "requestBlock":
        sync.requestBlock(effect);
        break;
      case "startRangeSync":
        sync.startRange(effect);
        break;
      case "blockProcessed":
        if (effect.outcome === "imported") metrics.blocksImported.inc();
        outcomes.settle(effect.root, effect.outcome);
        break;
      case "storeBlock":
      case "loadBlocks":
      case "justified":
      case "finalized":
      case "headChanged":
        store(effect);
        break;
      case "subnetsWanted":
        network.setSubnets(effect.subnets);
        break;
      case "voteSeen":
        for (const slashing of ports.slasher?.onVote(effect.vote) ?? []) {
          submit({ type: "evidenceFound", slashing });
        }
        break;
      case "slashingEvidence":
        publishEvidence(ports, effect.evidence);
        break;
      case "safetyFault":
        ports.safetyFault.record(effect);
        break;
      case "proposalFailed":
        reportFailedProposal(ports, effect);
        break;
      case "slotSummary":
        ports.report.onSlot(effect.summary);
        ports.slasher?.onSlot(effect.summary.slot).catch(ports.fatal);
        break;
      default:
        duties(effect);
    }
  };
}

function settleGossip({ network, metrics }: EffectPorts, effect: Wish<"gossipVerdict">): void {
  network.reportVerdict(effect.messageId, effect.verdict);
  if (effect.verdict !== "accept") metrics.network.onNotAccepted(effect.reason);
}

function reportFailedProposal({ metrics, log }: EffectPorts, effect: Wish<"proposalFailed">): void {
  const { slot, validatorIndex: validator, reason } = effect;
  metrics.proposalsFailed.inc({ reason });
  log.warn({ slot, validator, reason }, "no block of ours");
}

/** A block's at once, but for what was checked ahead; those of votes and operations with what else came in at the same time. */
function createVerifier({
  submit,
  metrics,
  lookahead,
}: EffectPorts): (wish: Wish<"verifySignatures">) => void {
  const afterTurn = (callback: () => void) => void setImmediate(callback);
  const addToBatch = createSignatureBatches({ verify: blsVerifySets, afterTurn });
  return ({ id, sets, urgency }) => {
    const stop = metrics.verification.startTimer({ urgency });
    const answer = (valid: readonly boolean[]) => {
      stop();
      const good = valid.filter(Boolean).length;
      metrics.signatureSets.inc({ result: "valid" }, good);
      metrics.signatureSets.inc({ result: "invalid" }, valid.length - good);
      submit({ type: "signaturesVerified", id, valid });
    };
    if (urgency !== "block") return addToBatch({ sets, answer });
    const open = sets.filter((set) => lookahead?.isVerified(set) !== true);
    const valid = new Map(verifyEach(open, blsVerifySets).map((isValid, index) => [open[index], isValid]));
    answer(sets.map((set) => valid.get(set) ?? true));
  };
}

function execute(ports: EffectPorts, effect: Wish<"executePayload">): void {
  const blockByRoot = (root: Hash) => {
    const bytes = ports.blocks.get(root);
    return bytes === undefined ? undefined : ports.codec.decode(bytes);
  };
  const stop = ports.metrics.payloadWait.startTimer({ method: "executePayload" });
  const begun = ports.lookahead?.verdictOn(effect.payload) ?? Promise.resolve({ status: "syncing" } as const);
  // Begun too early, its parent unknown by then, or not at all: it is asked for now, with its ancestors.
  const answered = begun.then((verdict) =>
    verdict.status === "syncing" ? executeWithAncestors(ports.execution, blockByRoot, effect) : verdict,
  );
  answered.then((verdict) => {
    stop();
    if (verdict.status === "syncing") {
      // Every block the engine knows was stored with its ancestors: our disk lost one, no peer is to blame.
      ports.fatal(new Error("the consensus database lacks a block that the execution side needs"));
      return;
    }
    if (verdict.status === "invalid") ports.log.warn({ reason: verdict.reason }, "invalid execution payload");
    ports.submit({ type: "payloadExecuted", id: effect.id, verdict: verdict.status });
  }, ports.fatal);
}

function publishEvidence(
  { network, containers, metrics, log, fatal }: EffectPorts,
  evidence: Evidence,
): void {
  metrics.slashingsSeen.inc();
  log.warn({ kind: evidence.kind }, "a validator signed two conflicting messages");
  const published =
    evidence.kind === "proposerSlashing"
      ? network.publish("proposer_slashing", ProposerSlashing.serialize(evidence.slashing))
      : network.publish("attester_slashing", containers.AttesterSlashing.serialize(evidence.slashing));
  published.catch(fatal);
}
