/** Gets a checkpoint from providers that must agree on it. See specs/node/checkpoint-sync.md#providers. */
import { containersOf } from "../../consensus/chain-containers.ts";
import type { ChainParams } from "../../consensus/params.ts";
import { type Hash, toHex } from "../../primitives/bytes.ts";
import { EMPTY_CODE_HASH } from "../../vm/state/account-codec.ts";
import { decodeAccount } from "../storage/state-codec.ts";
import { CHECKPOINT_ANCESTORS, type Checkpoint, CheckpointError, unreadable } from "./checkpoint.ts";
import type { CheckpointProvider } from "./provider.ts";

/** Times a provider is asked whether it has the block too, a slot apart: it may be a little behind. */
const AGREEMENT_ATTEMPTS = 20;

export type FetchOptions = {
  readonly params: ChainParams;
  readonly genesisRoot: Hash;
  /** Between two questions. */
  readonly pause: (milliseconds: number) => Promise<void>;
  readonly onProgress: (message: string, fields: Readonly<Record<string, unknown>>) => void;
};

/**
 * The checkpoint of the first provider, once every other one has its block as final. It is not verified yet, beyond
 * what the fetching itself needs. Undefined when that is genesis, which every node has already.
 *
 * @throws CheckpointError
 */
export async function fetchCheckpoint(
  providers: readonly [CheckpointProvider, ...CheckpointProvider[]],
  options: FetchOptions,
): Promise<Checkpoint | undefined> {
  const [source, ...witnesses] = providers;
  const { root, epoch } = await source.offered();
  options.onProgress("checkpoint offered", { provider: source.url, root, epoch });
  for (const witness of witnesses) await waitForAgreement(witness, root, options);
  if (root === options.genesisRoot) return undefined;

  const [state, block] = [await source.state(root), await source.block(root)];
  const ancestors = await fetchAncestors(source, block, options);
  const blockNumber = read(block, options.params).body.executionPayload.blockNumber;
  const accounts = await source.entries(blockNumber, "accounts");
  const storage = await source.entries(blockNumber, "storage");
  const hashes = new Set(accounts.map(([, value]) => codeHashOf(value)));
  hashes.delete(EMPTY_CODE_HASH);
  const codes = await source.codes([...hashes]);
  options.onProgress("checkpoint downloaded", {
    ...{ accounts: accounts.length, slots: storage.length, contracts: codes.length },
    ancestors: ancestors.length,
  });
  return { epoch, block, state, ancestors, accounts, storage, codes };
}

async function waitForAgreement(
  witness: CheckpointProvider,
  root: Hash,
  options: FetchOptions,
): Promise<void> {
  for (let attempt = 1; !(await witness.isFinalized(root)); attempt++) {
    if (attempt >= AGREEMENT_ATTEMPTS) {
      throw new CheckpointError({ code: "CHECKPOINT_NOT_AGREED", provider: witness.url, root });
    }
    await options.pause(options.params.slotSeconds * 1000);
  }
  options.onProgress("checkpoint confirmed", { provider: witness.url, root });
}

/** Down from the block's parent, as far as contracts can ask for hashes, or to genesis. */
async function fetchAncestors(
  source: CheckpointProvider,
  block: Uint8Array,
  { params, genesisRoot }: FetchOptions,
): Promise<readonly Uint8Array[]> {
  const ancestors: Uint8Array[] = [];
  for (let child = block; ancestors.length < CHECKPOINT_ANCESTORS; ) {
    const parentRoot = toHex(read(child, params).parentRoot);
    if (parentRoot === genesisRoot) break;
    child = await source.block(parentRoot);
    ancestors.push(child);
  }
  return ancestors;
}

function read(bytes: Uint8Array, params: ChainParams) {
  try {
    return containersOf(params).SignedBeaconBlock.deserialize(bytes).message;
  } catch (cause) {
    // The SSZ library throws plain errors for bytes that do not decode.
    throw unreadable("block", "its bytes are not SSZ of that kind", cause);
  }
}

function codeHashOf(account: Uint8Array): Hash {
  try {
    return decodeAccount(account).codeHash;
  } catch (cause) {
    throw unreadable("accounts", String(cause), cause);
  }
}
