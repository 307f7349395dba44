/** What a node asks that begins with a checkpoint. See specs/node/checkpoint-sync.md#serving. */
import { fromHex, type Hash, type Hex } from "../../primitives/bytes.ts";
import { encodeRlp } from "../../primitives/rlp.ts";
import { encodeEntries } from "../checkpoint/checkpoint.ts";
import type { ExecutionPort } from "../execution/port.ts";
import type { AnchorState } from "../storage/consensus-blocks.ts";
import { parseRoot } from "./find-block.ts";
import { badRequest, notFound } from "./rest-error.ts";
import { get, json, listOf, numberOf, type Route } from "./route.ts";

const CODES_LIMIT = 64;

export type CheckpointSource = {
  /** The finalized state kept on disk; it stays for many slots, long enough to be fetched. */
  anchor(): AnchorState | undefined;
  readonly execution: Pick<ExecutionPort, "readState" | "readCodes">;
};

export function checkpointRoutes({ anchor, execution }: CheckpointSource): readonly Route[] {
  const page = (table: "accounts" | "storage") =>
    get(`/jurat/v1/checkpoint/${table}`, async ({ query }) => {
      const blockNumber = numberOf(query, "block");
      if (blockNumber === undefined) throw badRequest("Missing block: the number of an execution block");
      const entries = await execution.readState({ blockNumber, table, after: keyOf(query) });
      if (entries === undefined)
        throw notFound("State not found: it is older than the history, or not final");
      return { kind: "bytes", bytes: encodeEntries(entries) };
    });
  return [
    get("/jurat/v1/checkpoint", () => {
      const { root, epoch, slot } = wholeAnchor(anchor());
      return json({ data: { root, epoch, slot } });
    }),
    get("/jurat/v1/checkpoint/state", ({ query }) => {
      const { root, bytes } = wholeAnchor(anchor());
      if (parseRoot(query.get("root") ?? "", "root") !== root)
        throw notFound(`State not found: that of ${root} is`);
      return { kind: "bytes", bytes };
    }),
    page("accounts"),
    page("storage"),
    get("/jurat/v1/checkpoint/codes", async ({ query }) => {
      const hashes = listOf(query, "hashes").map((text): Hash => parseRoot(text, "hash"));
      if (hashes.length > CODES_LIMIT) throw badRequest(`Too many hashes: at most ${CODES_LIMIT}`);
      const codes = await execution.readCodes(hashes);
      return { kind: "bytes", bytes: encodeRlp(codes.flatMap((code) => code ?? [])) };
    }),
  ];
}

function wholeAnchor(anchor: AnchorState | undefined): AnchorState & { readonly epoch: number } {
  if (anchor?.epoch === undefined) throw notFound("Checkpoint not found: none is kept yet");
  return { ...anchor, epoch: anchor.epoch };
}

/** Keys have up to 52 bytes. */
function keyOf(query: URLSearchParams): Uint8Array {
  const text = query.get("after") ?? "0x";
  if (!/^0x([0-9a-fA-F]{2}){0,52}$/.test(text)) throw badRequest(`Invalid after: ${text.slice(0, 80)}`);
  return fromHex(text as Hex);
}
