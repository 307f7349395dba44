/** The development chain as JSON-RPC sees it: the head is safe and final. See specs/node/dev.md#finality. */
import type { BlockReference } from "../../rpc/chain-view.ts";
import type { Block } from "../../vm/block.ts";
import type { RecoveredTransaction } from "../../vm/transaction.ts";
import { NodeChainView, type NodeChainViewParts } from "../execution/chain-view.ts";
import type { DevChain } from "./dev-chain.ts";

export class DevChainView extends NodeChainView {
  readonly #dev: DevChain;

  constructor(parts: NodeChainViewParts, dev: DevChain) {
    super(parts);
    this.#dev = dev;
    const follow = ({ hash, header }: Block) => this.#follow(hash, header.number);
    follow(parts.chain.head());
    parts.chain.subscribe({ onHead: () => follow(parts.chain.head()) });
  }

  override block(reference: BlockReference): Block | undefined {
    const isFinal = "tag" in reference && (reference.tag === "safe" || reference.tag === "finalized");
    return isFinal ? this.head() : super.block(reference);
  }

  /** Resolves when the transaction is mined, if it is to be at once. */
  override async submitTransaction(raw: Uint8Array): Promise<RecoveredTransaction> {
    const recovered = await super.submitTransaction(raw);
    await this.#dev.onSubmitted();
    return recovered;
  }

  /** One validator that never misses: every block is a slot, and final. */
  #follow(headRoot: Block["hash"], number: number): void {
    const heights = { slot: number, headSlot: number, justifiedEpoch: number, finalizedEpoch: number };
    this.setConsensusStatus({
      ...heights,
      headRoot,
      finalityLagSlots: 0,
      peers: 0,
      syncTargetSlot: undefined,
      localValidators: 1,
      localVotes: 1,
    });
  }
}
