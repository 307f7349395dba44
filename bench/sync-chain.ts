/** A long chain for the sync benchmark: made by a real engine whose clock is turned by hand, signed and stored like a node's. */
import { join } from "node:path";
import { engineWakeMoments } from "../consensus/on-tick.ts";
import type { FolderConfig } from "../node/db/db-config.ts";
import { openFolder } from "../node/db/folder.ts";
import { openOfflineChain } from "../node/db/offline-chain.ts";
import { ConsensusBlocks } from "../node/storage/consensus-blocks.ts";
import { openDatabase } from "../node/storage/database.ts";
import { SlashingProtection } from "../node/storage/slashing-protection.ts";
import { loadKeyring } from "../node/validator/keyring.ts";
import { type Address, EMPTY_BYTES, fromHex, type Hash, toHex } from "../primitives/bytes.ts";
import { deriveDevAccounts } from "../primitives/dev-accounts.ts";
import { sourceOf } from "../specs/support/execution-chain.ts";
import type { RecoveredTransaction } from "../vm/transaction.ts";
import { signTransaction } from "../vm/transaction-signature.ts";

const GWEI = 10n ** 9n;
const RECIPIENTS = 20_000;
const ACCOUNTS = deriveDevAccounts();
/** Of the sync benchmark's chain: one transfer of each development account. */
export const TRANSACTIONS_PER_BLOCK = ACCOUNTS.length;

/** Block `index` (from 0) spends nonce `index` of each account. */
function transfersOf(index: number, chainId: bigint): readonly RecoveredTransaction[] {
  return ACCOUNTS.map(({ privateKey }, sender) => {
    const to: Address = `0x${(0xdef00000 + ((index * 7919 + sender * 104_729) % RECIPIENTS)).toString(16).padStart(40, "0")}`;
    return signTransaction(
      {
        ...{ type: 2, chainId, nonce: BigInt(index), gasLimit: 21_000n, to, value: 1n, data: EMPTY_BYTES },
        ...{ maxFeePerGas: 100n * GWEI, maxPriorityFeePerGas: GWEI, accessList: [] },
      },
      fromHex(privateKey),
    );
  });
}

/** Goes on with the chain in the folder up to `blocks`, one block in each slot. */
export async function growChain(config: FolderConfig, validators: number, blocks: number, budgetMs: number) {
  const folder = await openFolder(config, false);
  const validator = await openDatabase({
    ...{ directory: join(config.dir, "validator"), role: "validator" },
    chain: toHex(folder.genesis.blockRoot),
  });
  const { params, genesisTime, chainId } = folder.spec;
  const slotMs = params.slotSeconds * 1000;
  let pending: readonly RecoveredTransaction[] = [];
  // An engine that is told an earlier time than its blocks were made at would not take them up as its head.
  const newest = [...new ConsensusBlocks(folder.consensus).unfinalizedBlocks()].at(-1)?.slot ?? 0;
  let nowMs = newest * slotMs;
  const chain = openOfflineChain(folder, () => genesisTime * 1000 + nowMs, {
    keyring: await loadKeyring({ interop: { first: 0, last: validators - 1 }, keystores: undefined }),
    protection: new SlashingProtection(validator),
    feeRecipient: ACCOUNTS[0]?.address ?? "0x",
    pool: {
      get: (hash: Hash) => pending.find((transaction) => transaction.hash === hash),
      best: () => sourceOf(pending),
      status: () => ({ pending: pending.length, queued: 0 }),
    },
  });
  const deadline = performance.now() + budgetMs;
  try {
    for (let slot = chain.headSlot() + 1; slot <= blocks && performance.now() < deadline; slot++) {
      pending = transfersOf(slot - 1, BigInt(chainId));
      for (const moment of engineWakeMoments(params)) {
        nowMs = slot * slotMs + moment;
        chain.tick();
        // Building and signing go through promises; what they lead to is done when the block is the head.
        while (moment === 0 && chain.headSlot() < slot) await chain.turn();
        await chain.settled();
      }
    }
    return chain.headSlot();
  } finally {
    await folder.close();
    await validator.close();
  }
}
