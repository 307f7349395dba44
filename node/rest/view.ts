/** What the beacon API reads: the engine, the stored blocks, the network. Nothing here changes them. */
import type { ChainContainers, SignedBeaconBlock } from "../../consensus/chain-containers.ts";
import type { Engine } from "../../consensus/engine-state.ts";
import type { Genesis } from "../../consensus/genesis.ts";
import type { ChainParams } from "../../consensus/params.ts";
import type { Address, Hash } from "../../primitives/bytes.ts";
import type { BlockCodec } from "../chain/block-codec.ts";
import type { Network } from "../network/network-port.ts";
import type { ConsensusBlocks } from "../storage/consensus-blocks.ts";

export type RestView = {
  readonly engine: Engine;
  readonly genesis: Genesis;
  readonly params: ChainParams;
  readonly containers: ChainContainers;
  readonly codec: BlockCodec;
  readonly blocks: Pick<ConsensusBlocks, "get" | "finalizedRootAt" | "finality" | "earliestAvailableSlot">;
  readonly network: Pick<Network, "peerId" | "addresses" | "peers">;
  readonly chainId: number;
  readonly depositContract: Address;
  /** Highest head slot a peer claims, while this node catches up; undefined when it is in step. */
  readonly syncTargetSlot: () => number | undefined;
};

export type FoundBlock = {
  readonly root: Hash;
  readonly block: SignedBeaconBlock;
  readonly isCanonical: boolean;
  readonly isFinalized: boolean;
};
