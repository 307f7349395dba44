/** A peer that only listens: it takes part in gossip and notes every vote and block whose signature is right. */
import { containersOf } from "../../../consensus/chain-containers.ts";
import { blockSigningRoot, singleAttestationSignatureSet } from "../../../consensus/signature-sets.ts";
import { computeForkDigest } from "../../../consensus/signing-root.ts";
import { createBlockCodec } from "../../../node/chain/block-codec.ts";
import type { ChainSpec } from "../../../node/chain-spec.ts";
import { buildConsensusGenesis, buildExecutionGenesis } from "../../../node/genesis.ts";
import { createIdentity } from "../../../node/network/identity.ts";
import { createNetwork } from "../../../node/network/network.ts";
import type { GossipMessage } from "../../../node/network/network-port.ts";
import { blsVerifySets } from "../../../primitives/bls.ts";
import { fromHex, toHex } from "../../../primitives/bytes.ts";
import { SignedMessages } from "./signed-messages.ts";

export type SeenMessage = { readonly kind: "vote" | "block"; readonly validator: number };

export type Observer = {
  readonly signed: SignedMessages;
  /** Resolves at the next message of this kind by one of these validators. */
  next(kind: SeenMessage["kind"], validators: readonly number[]): Promise<void>;
  close(): Promise<void>;
};

export async function startObserver(spec: ChainSpec, bootstrap: readonly string[]): Promise<Observer> {
  const { params } = spec;
  const genesis = buildConsensusGenesis(spec, buildExecutionGenesis(spec).block);
  const containers = containersOf(params);
  const codec = createBlockCodec(containers);
  const forkDigest = computeForkDigest(
    fromHex(params.forks[0]?.version ?? "0x"),
    genesis.state.genesisValidatorsRoot,
  );
  const signed = new SignedMessages();
  const waiting = new Set<(message: SeenMessage) => void>();
  const tell = (message: SeenMessage) => {
    for (const wake of [...waiting]) wake(message);
  };

  // No validator joins or leaves: the genesis state knows every key.
  const onGossip = ({ topic, messageId, data }: GossipMessage) => {
    if (topic === "beacon_attestation") {
      for (const vote of containers.SingleAttestations.deserialize(data)) {
        if (!blsVerifySets([singleAttestationSignatureSet(genesis.state, vote, params)])) continue;
        signed.addVote(vote.attesterIndex, vote.data);
        tell({ kind: "vote", validator: vote.attesterIndex });
      }
    } else if (topic === "beacon_block") {
      const { message, signature } = codec.decode(data);
      const publicKey = genesis.state.validators.getReadonly(message.proposerIndex).pubkey;
      const signingRoot = blockSigningRoot(genesis.state, message, params);
      if (!blsVerifySets([{ publicKeys: [publicKey], message: signingRoot, signature }])) return;
      signed.addBlock(message.proposerIndex, { slot: message.slot, root: toHex(signingRoot) });
      tell({ kind: "block", validator: message.proposerIndex });
    }
    network.reportVerdict(messageId, "accept");
  };
  const zero = { epoch: 0, root: genesis.blockRoot };
  const network = await createNetwork({
    identity: await createIdentity(),
    forkDigest,
    bootstrap,
    handlers: {
      onGossip,
      localStatus: () => ({
        ...{ forkDigest, genesisBlockRoot: genesis.blockRoot, finalized: zero, justified: zero },
        ...{ justifiedProofRoot: genesis.blockRoot, headSlot: 0, headRoot: genesis.blockRoot },
        earliestAvailableSlot: 0,
      }),
      onPeerStatus: () => undefined,
      onPeerDisconnected: () => undefined,
      blocks: { blocksByRange: () => [], blockByRoot: () => undefined },
      transactions: { transactionsByHash: async (hashes) => hashes.map(() => undefined) },
    },
  });
  return {
    signed,
    next: (kind, validators) =>
      new Promise((resolve) => {
        const wake = (message: SeenMessage) => {
          if (message.kind !== kind || !validators.includes(message.validator)) return;
          waiting.delete(wake);
          resolve();
        };
        waiting.add(wake);
      }),
    close: () => network.close(),
  };
}
