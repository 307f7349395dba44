/** The mark of something that is shown whole: a block, a transaction with its receipt. */
import { LightError } from "../../light/light-error.ts";
import { fetchBlock, fetchHeaderAt, type ProvenHeader } from "../../light/verified/proven-block.ts";
import { answerVerified, type Verifier } from "../../light/verified/verified-methods.ts";
import { encodeBlock } from "../../rpc/encode-block.ts";
import { toNumber } from "../display.ts";
import { useLoaded } from "../load.ts";
import type { BlockJson, ReceiptJson, TransactionJson } from "../node/objects.ts";
import { Mark, type MarkState } from "./mark.tsx";
import { currentVerifier, proof } from "./proof-state.ts";

/** Whether what is shown is what is proven; undefined where there is no proof: not final yet, or too old. */
type Check = (verifier: Verifier, final: ProvenHeader) => Promise<boolean | undefined>;

export function BlockMark({ block }: { readonly block: BlockJson }) {
  return (
    <ProvenMark
      name={block.hash}
      check={async ({ ask }, final) => {
        const header = await fetchHeaderAt(ask, final, toNumber(block.number));
        return header === undefined
          ? undefined
          : isSame(encodeBlock(await fetchBlock(ask, header), true), block);
      }}
    />
  );
}

export function TransactionMark({
  transaction,
  receipt,
}: {
  readonly transaction: TransactionJson;
  readonly receipt: ReceiptJson | null;
}) {
  return (
    <ProvenMark
      name={`${transaction.hash} ${receipt?.blockHash ?? ""}`}
      check={async (verifier) => {
        const proven = await answerVerified(verifier, "eth_getTransactionReceipt", [transaction.hash]);
        if (proven === null) return undefined;
        const sent = await answerVerified(verifier, "eth_getTransactionByHash", [transaction.hash]);
        return isSame(proven, receipt) && isSame(sent, transaction);
      }}
    />
  );
}

function ProvenMark({ name, check }: { readonly name: string; readonly check: Check }) {
  const final = proof.value.state === "following" ? proof.value.final : undefined;
  const loaded = useLoaded(`${name} ${final?.hash ?? ""}`, () => markOf(final, check));
  return loaded.state === "ready" ? <Mark state={loaded.value.state} why={loaded.value.why} /> : null;
}

async function markOf(
  final: ProvenHeader | undefined,
  check: Check,
): Promise<{ readonly state: MarkState; readonly why: string }> {
  const verifier = currentVerifier();
  if (verifier === undefined || final === undefined) return { state: "reported", why: "nothing was proven" };
  try {
    const isProven = await check(verifier, final);
    if (isProven === undefined) return { state: "reported", why: "not final yet" };
    return isProven
      ? { state: "verified", why: `proven as of final block ${final.header.number}` }
      : { state: "lie", why: "the proof says something else" };
  } catch (error) {
    if (!(error instanceof LightError)) throw error;
    const isTooOld = error.detail.code === "LIGHT_TOO_OLD";
    return { state: isTooOld ? "reported" : "lie", why: error.detail.code };
  }
}

/** The order of members is that of one encoder on both sides; names are compared all the same. */
function isSame(a: unknown, b: unknown): boolean {
  return canonical(a) === canonical(b);
}

function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, member: unknown) =>
    typeof member === "object" && member !== null && !Array.isArray(member)
      ? Object.fromEntries(Object.entries(member).sort(([a], [b]) => (a < b ? -1 : 1)))
      : member,
  );
}
