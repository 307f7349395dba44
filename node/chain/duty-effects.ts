/** What this node's validators do: signing, building, sending. See specs/consensus/duties.md. */
import type { Effect } from "../../consensus/engine-events.ts";
import type { SubnetTopic } from "../network/gossip-topics.ts";
import type { Signatures } from "../validator/signer.ts";
import type { EffectPorts } from "./run-effects.ts";

type Wish<Type extends Effect["type"]> = Extract<Effect, { readonly type: Type }>;

export type DutyEffect =
  | Wish<"signAttestation" | "signBlock" | "signRandao" | "signSelections" | "signAggregates">
  | Wish<"buildPayload" | "publishBlock" | "publishAttestations" | "publishAggregates">;

/** Signing what could be slashed waits for every block stored before it. */
export function createDutyEffects(ports: EffectPorts): (effect: DutyEffect) => void {
  const { signer, inOrder, submit, fatal } = ports;
  const answer = (id: number, signing: Promise<Signatures>): Promise<void> =>
    signing.then((signatures) => submit({ type: "signed", id, signatures }));
  /** Whoever signs elsewhere may take its time: what is to be stored waits for the watermarks alone. */
  const inTurn = (id: number, sign: (onProtected: () => void) => Promise<Signatures>) =>
    inOrder.add(
      () =>
        new Promise((resolve, reject) => {
          // Once it is protected a failure can no longer be the queue's.
          answer(id, sign(resolve)).catch((error: unknown) => {
            reject(error);
            fatal(error);
          });
        }),
    );
  const publish = createPublisher(ports);
  return (effect) => {
    switch (effect.type) {
      case "signAttestation":
        inTurn(effect.id, (onProtected) => signer.signAttestation(effect, onProtected));
        break;
      case "signBlock":
        inTurn(effect.id, (onProtected) => signer.signBlock(effect, onProtected));
        break;
      case "signRandao":
        answer(effect.id, signer.signRandao(effect)).catch(fatal);
        break;
      case "signSelections":
        answer(effect.id, signer.signSelections(effect)).catch(fatal);
        break;
      case "signAggregates":
        answer(effect.id, signer.signAggregates(effect)).catch(fatal);
        break;
      case "buildPayload":
        build(ports, effect);
        break;
      default:
        publish(effect);
    }
  };
}

function build({ execution, proposals, submit, disk, log }: EffectPorts, wish: Wish<"buildPayload">): void {
  // Others' blocks, votes and what was signed still find room; a block of ours would take it from them.
  if (disk.isShort()) {
    submit({ type: "payloadBuildFailed", id: wish.id });
    return;
  }
  const { parentHash, timestamp, prevRandao, withdrawals, parentBeaconBlockRoot } = wish;
  const { graffiti, ...settings } = proposals(wish.proposerIndex);
  const attributes = { parentHash, timestamp, prevRandao, withdrawals, parentBeaconBlockRoot };
  execution.buildPayload({ ...attributes, ...settings }).then(
    ({ payload, requests }) => submit({ type: "payloadBuilt", id: wish.id, payload, requests, graffiti }),
    (error: unknown) => {
      log.warn({ err: error }, "no payload for our block");
      submit({ type: "payloadBuildFailed", id: wish.id });
    },
  );
}

function createPublisher({ network, codec, containers, metrics, fatal }: EffectPorts) {
  return (effect: Wish<"publishBlock" | "publishAttestations" | "publishAggregates">): void => {
    switch (effect.type) {
      case "publishBlock":
        metrics.blocksProposed.inc();
        network.publish("beacon_block", codec.encode(effect.block)).catch(fatal);
        break;
      case "publishAttestations": {
        const { attestations, subnet } = effect;
        metrics.attestationsSigned.inc(attestations.length);
        const topic: "beacon_attestation" | SubnetTopic =
          subnet === undefined ? "beacon_attestation" : `beacon_attestation_${subnet}`;
        network.publish(topic, containers.SingleAttestations.serialize([...attestations])).catch(fatal);
        break;
      }
      case "publishAggregates":
        for (const aggregate of effect.aggregates) {
          const bytes = containers.SignedAggregateAndProof.serialize(aggregate);
          network.publish("beacon_aggregate_and_proof", bytes).catch(fatal);
        }
        break;
      default:
        effect satisfies never;
    }
  };
}
