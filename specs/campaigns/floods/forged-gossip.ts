/** Gossip of every topic that is well made but for its signatures, each message another one. See specs/campaigns/floods/floods.md */
import { containersOf } from "../../../consensus/chain-containers.ts";
import { ProposerSlashing, SignedVoluntaryExit } from "../../../consensus/containers.ts";
import { createBlockCodec } from "../../../node/chain/block-codec.ts";
import type { ChainSpec } from "../../../node/chain-spec.ts";
import type { GOSSIP_LIMIT_BYTES } from "../../../node/network/gossip-topics.ts";
import { encodeTransactionBatch } from "../../../node/network/transaction-gossip.ts";
import { signTransaction } from "../../../vm/transaction-signature.ts";
import { account, transfer } from "../../support/pool-transactions.ts";

export type Forge = (serial: number) => Uint8Array;

/**
 * @param block an encoded block of the chain that is attacked, a recent one.
 * @param head root of the newest one.
 * @returns by topic, so that a new one cannot be forgotten; subnets take the votes of `beacon_attestation`.
 */
export function forgedGossip(
  spec: ChainSpec,
  block: Uint8Array,
  head: () => Uint8Array,
): Readonly<Record<keyof typeof GOSSIP_LIMIT_BYTES, Forge>> {
  const containers = containersOf(spec.params);
  const codec = createBlockCodec(containers);
  const { message } = codec.decode(block);
  const slotNow = () => Math.floor((Date.now() / 1000 - spec.genesisTime) / spec.params.slotSeconds);
  const signature = (serial: number) => {
    const bytes = new Uint8Array(96).fill(0x55);
    new DataView(bytes.buffer).setUint32(1, serial);
    bytes[0] = 0xa5;
    return bytes;
  };
  const data = () => ({
    ...containers.SignedAggregateAndProof.defaultValue().message.aggregate.data,
    ...message.body.attestations[0]?.data,
    slot: slotNow(),
  });
  const header = (serial: number) => {
    const { slot, proposerIndex, parentRoot, stateRoot } = message;
    const bodyRoot = signature(serial).slice(0, 32);
    return {
      message: { slot, proposerIndex, parentRoot, stateRoot, bodyRoot },
      signature: signature(serial),
    };
  };
  const vote = (serial: number, branch: number) => ({
    attestingIndices: [serial % 4],
    data: { ...data(), beaconBlockRoot: signature(serial + branch).slice(0, 32) },
    signature: signature(serial),
  });
  const aggregate = containers.SignedAggregateAndProof.defaultValue();
  return {
    beacon_block: (serial) =>
      codec.encode({
        message: {
          ...{ ...message, slot: slotNow(), parentRoot: head() },
          stateRoot: signature(serial).slice(0, 32),
        },
        signature: signature(serial),
      }),
    beacon_attestation: (serial) =>
      containers.SingleAttestations.serialize([
        { committeeIndex: 0, attesterIndex: serial % 4, data: data(), signature: signature(serial) },
      ]),
    beacon_aggregate_and_proof: (serial) =>
      containers.SignedAggregateAndProof.serialize({
        message: {
          ...aggregate.message,
          aggregate: { ...aggregate.message.aggregate, data: data(), signature: signature(serial) },
          selectionProof: signature(serial),
        },
        signature: signature(serial),
      }),
    transactions: (serial) => {
      const { transaction } = transfer(account(3), serial);
      const { raw } = signTransaction(transaction, new Uint8Array(32).fill(7));
      const broken = raw.slice();
      // The last bytes are s: no key fits, or another account's that has nothing.
      broken.set(signature(serial).subarray(0, 16), broken.length - 16);
      return encodeTransactionBatch([broken]);
    },
    voluntary_exit: (serial) =>
      SignedVoluntaryExit.serialize({
        message: { epoch: 0, validatorIndex: serial % 4 },
        signature: signature(serial),
      }),
    proposer_slashing: (serial) =>
      ProposerSlashing.serialize({ signedHeader1: header(serial), signedHeader2: header(serial + 1) }),
    attester_slashing: (serial) =>
      containers.AttesterSlashing.serialize({ attestation1: vote(serial, 0), attestation2: vote(serial, 1) }),
  };
}
