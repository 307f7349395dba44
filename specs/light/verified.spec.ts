import { deepEqual, equal, notEqual, ok, rejects } from "node:assert/strict";
import { join } from "node:path";
import {
  type Abi,
  createPublicClient,
  createWalletClient,
  custom,
  defineChain,
  type Hex,
  http,
  parseEther,
} from "viem";
import { privateKeyToAccount } from "viem/accounts";
import { buildContract } from "../../contracts/build/build-contract.ts";
import type { LightErrorDetail } from "../../light/light-error.ts";
import { LightError } from "../../light/light-error.ts";
import type { Checkpoint } from "../../light/verified/finality-follower.ts";
import type { AskNode } from "../../light/verified/node-answers.ts";
import { createVerifier } from "../../light/verified/verifier.ts";
import { verified } from "../../node/light-transport.ts";
import { deriveDevAccounts } from "../../primitives/dev-accounts.ts";
import { type SingleNode, startSingleNode } from "../support/single-node.ts";
import { PROJECT_ROOT } from "../support/vectors.ts";

const [alice, bob] = deriveDevAccounts();
const STRANGER = "0x00000000000000000000000000000000000a11ce";

type FinalJson = {
  certificate: { votes: { participants: Hex; signature: Hex }[] };
  execution: { stateRoot: Hex };
};
type Answer = { readonly method: string; readonly params: unknown; readonly result: unknown };
/** Changes what the node said. */
type Liar = (answer: Answer) => unknown;

/** The code of the LightError somewhere in the causes of what `ask` throws; viem wraps what a transport throws. */
async function lieCode(ask: () => Promise<unknown>): Promise<LightErrorDetail["code"] | undefined> {
  try {
    await ask();
    return undefined;
  } catch (thrown) {
    for (let error: unknown = thrown; error instanceof Error; error = error.cause) {
      if (error instanceof LightError) return error.detail.code;
    }
    throw thrown;
  }
}

describe("verified answers", function () {
  this.timeout(120_000);
  let node: SingleNode;
  let checkpoint: Checkpoint;
  let token: { readonly address: Hex; readonly abi: Abi };
  let transferHash: Hex;

  const account = privateKeyToAccount(alice!.privateKey);
  const ask: AskNode = (method, params) =>
    http(node.url, { retryCount: 0 })({}).request({ method, params: params as unknown[] });
  const honest: Liar = ({ result }) => result;

  /** A client that is lied to. */
  function clientOf(lie: Liar = honest, from: Checkpoint = checkpoint) {
    const inner = http(node.url, { retryCount: 0 })({});
    const lying = custom({
      async request({ method, params }: { method: string; params?: unknown }) {
        return lie({ method, params, result: await inner.request({ method, params }) });
      },
    });
    return createPublicClient({ transport: verified(lying, from), pollingInterval: 100, cacheTime: 0 });
  }
  /** Changes the answers of one method. */
  const lyingAbout =
    (lied: string, change: (result: never) => unknown): Liar =>
    ({ method, result }) =>
      method === lied ? change(structuredClone(result) as never) : result;

  /** Changes the final block, alone or with a change of the set. */
  const lyingAboutFinality =
    (change: (block: FinalJson) => void): Liar =>
    ({ method, result }) => {
      const changed = structuredClone(result) as FinalJson & { block: FinalJson };
      if (method === "jurat_getFinalizedBlock") change(changed);
      else if (method === "jurat_getSetChange") change(changed.block);
      return changed;
    };

  before(async () => {
    // The checkpoint is of period 0, and the first block already in a later one.
    node = await startSingleNode({ genesisAgeSeconds: 40 });
    const set = (await ask("jurat_getValidatorSet", [])) as { root: Hex; set: { period: number } };
    checkpoint = { root: set.root, period: set.set.period, chainId: node.chainId };
    equal(checkpoint.period, 0);

    const chain = defineChain({
      ...{ id: node.chainId, name: "jurat", nativeCurrency: { name: "Jurat", symbol: "JUR", decimals: 18 } },
      rpcUrls: { default: { http: [node.url] } },
    });
    const wallet = createWalletClient({ account, chain, transport: http(node.url) });
    const trusting = createPublicClient({ chain, transport: http(node.url), pollingInterval: 100 });
    const { abi, bytecode } = await buildContract(join(PROJECT_ROOT, "contracts/examples/token.ts"), {
      typeCheck: false,
    });
    const deployment = { abi: abi as Abi, bytecode: bytecode as Hex, args: ["Token", "TKN", 1_000_000n] };
    const { contractAddress } = await trusting.waitForTransactionReceipt({
      hash: await wallet.deployContract(deployment),
    });
    token = { address: contractAddress!, abi: abi as Abi };
    transferHash = await wallet.writeContract({
      ...token,
      functionName: "transfer",
      args: [bob!.address, 77n],
    });
    // Null until the block is final, and then proven: viem waits.
    const receipt = await clientOf().waitForTransactionReceipt({ hash: transferHash });
    equal(receipt.status, "success");
  });

  after(async () => {
    await node?.stop();
  });

  it("are the node's, when it is honest: balances, nonces, code, storage, blocks", async () => {
    const client = clientOf();
    const trusting = createPublicClient({ transport: http(node.url) });
    const { number: blockNumber } = await client.getBlock();
    const at = { blockNumber };
    const { address } = account;
    equal(await client.getBalance({ address, ...at }), await trusting.getBalance({ address, ...at }));
    equal(await client.getBalance({ address: bob!.address }), parseEther("10000"));
    equal(await client.getBalance({ address: STRANGER }), 0n);
    equal(await client.getTransactionCount({ address }), 2);
    equal(await client.getCode(token), await trusting.getCode(token));
    equal(await client.getCode({ address: STRANGER }), undefined);
    const slot = { address: token.address, slot: "0x0" } as const;
    equal(await client.getStorageAt(slot), await trusting.getStorageAt(slot));
    deepEqual(
      await client.getBlock({ ...at, includeTransactions: true }),
      await trusting.getBlock({ ...at, includeTransactions: true }),
    );
    equal(await client.getChainId(), node.chainId);
  });

  it("have receipts, transactions and blocks of the past, word for word as a node tells them", async () => {
    const client = clientOf();
    const trusting = createPublicClient({ transport: http(node.url) });
    const hash = transferHash;
    deepEqual(await client.getTransactionReceipt({ hash }), await trusting.getTransactionReceipt({ hash }));
    deepEqual(await client.getTransaction({ hash }), await trusting.getTransaction({ hash }));
    deepEqual(await client.getBlock({ blockNumber: 1n }), await trusting.getBlock({ blockNumber: 1n }));
    deepEqual(await client.getBlock({ blockTag: "earliest" }), await trusting.getBlock({ blockNumber: 0n }));
    const { hash: blockHash } = await trusting.getBlock({ blockNumber: 2n });
    deepEqual(await client.getBlock({ blockHash }), await trusting.getBlock({ blockHash }));
  });

  it("run contracts here", async () => {
    const read = { ...token, functionName: "balanceOf", args: [bob!.address] };
    equal(await clientOf().readContract(read), 77n);
    equal(await clientOf().readContract({ ...token, functionName: "symbol" }), "TKN");
    const refused = {
      ...token,
      functionName: "transfer",
      args: [bob!.address, 1n],
      account: STRANGER,
    } as const;
    await rejects(clientOf().simulateContract(refused), /ERC20InsufficientBalance/);
  });

  it("are wrong in no way a node can choose", async () => {
    const { address } = account;
    const readBalance = { ...token, functionName: "balanceOf", args: [bob!.address] };
    type Proof = { accountProof: Hex[]; storageProof: { key: Hex; value: Hex; proof: Hex[] }[] };
    type Witness = { accounts: Proof[]; codes: Hex[]; output: Hex };
    const flip = (hex: Hex): Hex => `${hex.slice(0, -1)}${hex.endsWith("0") ? "1" : "0"}` as Hex;

    const liars: readonly (readonly [
      string,
      string | undefined,
      Liar,
      (client: Client) => Promise<unknown>,
    ])[] = [
      [
        "a balance that is proven with another account's proof",
        "LIGHT_WRONG_PROOF",
        lyingAbout("eth_getProof", (proof: Proof) => {
          proof.accountProof[proof.accountProof.length - 1] = flip(proof.accountProof.at(-1)!);
          return proof;
        }),
        (client) => client.getBalance({ address }),
      ],
      [
        "an account left out",
        "LIGHT_WRONG_PROOF",
        lyingAbout("eth_getProof", (proof: Proof) => ({
          ...proof,
          accountProof: proof.accountProof.slice(0, -1),
        })),
        (client) => client.getBalance({ address }),
      ],
      [
        "another header",
        "LIGHT_WRONG_BLOCK",
        lyingAbout("debug_getRawHeader", flip),
        (client) => client.getBlock(),
      ],
      ["other code", "LIGHT_WRONG_PROOF", lyingAbout("eth_getCode", flip), (client) => client.getCode(token)],
      [
        "a receipt that failed",
        "LIGHT_WRONG_BLOCK",
        lyingAbout("eth_getBlockReceipts", (receipts: { status: Hex }[]) =>
          receipts.map((receipt) => ({ ...receipt, status: "0x0" })),
        ),
        (client) => client.getTransactionReceipt({ hash: transferHash }),
      ],
      [
        "a log with another amount",
        "LIGHT_WRONG_BLOCK",
        lyingAbout("eth_getBlockReceipts", (receipts: { logs: { data: Hex }[] }[]) =>
          receipts.map((receipt) => ({
            ...receipt,
            logs: receipt.logs.map((log) => ({ ...log, data: flip(log.data) })),
          })),
        ),
        (client) => client.getTransactionReceipt({ hash: transferHash }),
      ],
      [
        "a storage word of a witness",
        "LIGHT_WRONG_PROOF",
        lyingAbout("jurat_getWitness", (witness: Witness) => {
          for (const { storageProof } of witness.accounts) {
            for (const entry of storageProof) entry.proof = entry.proof.map(flip);
          }
          return witness;
        }),
        (client) => client.readContract(readBalance),
      ],
      [
        "a witness without its slots",
        "LIGHT_WITNESS_INCOMPLETE",
        lyingAbout("jurat_getWitness", (witness: Witness) => ({
          ...witness,
          accounts: witness.accounts.map((entry) => ({ ...entry, storageProof: [] })),
        })),
        (client) => client.readContract(readBalance),
      ],
      [
        "a witness without code",
        "LIGHT_WITNESS_INCOMPLETE",
        lyingAbout("jurat_getWitness", (witness: Witness) => ({ ...witness, codes: [] })),
        (client) => client.readContract(readBalance),
      ],
      [
        "a certificate of fewer votes",
        "LIGHT_TOO_FEW_VOTES",
        lyingAboutFinality(({ certificate }) => {
          for (const votes of certificate.votes) votes.participants = "0x01";
        }),
        (client) => client.getBlock(),
      ],
      [
        "a certificate with another signature",
        "LIGHT_WRONG_SIGNATURE",
        lyingAboutFinality(({ certificate }) => {
          for (const votes of certificate.votes) votes.signature = flip(votes.signature);
        }),
        (client) => client.getBlock(),
      ],
      [
        "another execution block in a final one",
        "LIGHT_WRONG_PROOF",
        lyingAboutFinality(({ execution }) => {
          execution.stateRoot = flip(execution.stateRoot);
        }),
        (client) => client.getBlock(),
      ],
      [
        "other validators",
        "LIGHT_OTHER_VALIDATOR_SET",
        lyingAbout("jurat_getValidatorSet", (answer: { set: { validators: [Hex, number][] } }) => {
          answer.set.validators.pop();
          return answer;
        }),
        (client) => client.getBlock(),
      ],
      [
        "no JSON it was asked for",
        "LIGHT_MALFORMED",
        lyingAbout("jurat_getFinalizedBlock", () => ({ certificate: 7 })),
        (client) => client.getBlock(),
      ],
      [
        "only its own result of a call, which nobody asks",
        undefined,
        lyingAbout("jurat_getWitness", (witness: Witness) => ({ ...witness, output: flip(witness.output) })),
        async (client) => equal(await client.readContract(readBalance), 77n),
      ],
      [
        "the values beside the proofs, which nobody reads",
        undefined,
        lyingAbout("eth_getProof", (proof: Proof) => ({ ...proof, balance: "0x1", nonce: "0x63" })),
        async (client) => equal(await client.getTransactionCount({ address }), 2),
      ],
    ];
    for (const [lie, code, liar, ask] of liars) equal(await lieCode(() => ask(clientOf(liar))), code, lie);
  });

  it("begin at a root and at nothing else", async () => {
    const other = { ...checkpoint, root: `0x${"11".repeat(32)}` } as const;
    equal(await lieCode(() => clientOf(honest, other).getBlock()), "LIGHT_OTHER_VALIDATOR_SET");
  });

  it("go on from set to set, and never back", async () => {
    const { follower } = createVerifier(ask, checkpoint, {
      loadEngine: () => Promise.reject(new Error("unused")),
    });
    const first = await follower.advance();
    const later = follower.checkpoint();
    ok(later.period! > checkpoint.period!);
    notEqual(later.root, checkpoint.root);
    equal(later.chainId, checkpoint.chainId);
    // What was handed on is as good a beginning.
    const second = await createVerifier(ask, later, {
      loadEngine: () => Promise.reject(new Error("unused")),
    }).follower.advance();
    ok(second.header.number >= first.header.number);

    const answers: unknown[] = [];
    const replaying: AskNode = async (method, params) => {
      if (method !== "jurat_getFinalizedBlock") return ask(method, params);
      if (answers.length === 0) answers.push(await ask(method, params));
      return answers[0];
    };
    const replayed = createVerifier(replaying, later, {
      loadEngine: () => Promise.reject(new Error("unused")),
    });
    const once = await replayed.follower.advance();
    equal(await replayed.follower.advance(), once);
    equal(await replayed.follower.latest(), once);
  });

  it("are refused for what is no matter of proof", async () => {
    equal(await lieCode(() => clientOf().getGasPrice()), "LIGHT_UNPROVABLE");
    equal(await lieCode(() => clientOf().getLogs()), "LIGHT_UNPROVABLE");
    const { number } = await clientOf().getBlock();
    const future = { address: account.address, blockNumber: number + 1000n };
    equal(await lieCode(() => clientOf().getBalance(future)), "LIGHT_NOT_FINAL");
  });

  type Client = ReturnType<typeof clientOf>;
});
