/** Where a node's thread spends its time, from the profiles Node writes at its end. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

type Frame = { readonly functionName: string; readonly url: string };
type Profile = {
  readonly nodes: readonly { readonly id: number; readonly callFrame: Frame }[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
};
export type Share = { readonly name: string; readonly percent: number };

/** What the self time of a function counts as; the first that fits. */
export type Part = readonly [string, RegExp];

/** Of a thread that answers JSON-RPC. */
const JSON_RPC_PARTS: readonly Part[] = [
  ["garbage collection", /^\(garbage collector\)/],
  [
    "writing to and reading from sockets",
    /^(write(Latin1String|Utf8String|Buffer|v)|shutdown|readStart|onStreamRead) |node:(net|internal\/stream)/,
  ],
  ["HTTP", /dist\/rpc\/(fast-lane|answer-post|http-exchange|server)|node:_http/],
  ["reading requests, dispatch, schemas, JSON", /dist\/rpc\//],
  ["signatures and hashes", /secp256k1|ecdsa|keccak|hash-wasm|dist\/node\/native\//i],
  ["pool and journal", /dist\/node\/execution\/(mempool|pool|node-pool|admission|transaction-journal|best)/],
  ["state and database", /lmdb|dist\/node\/(storage|execution)|dist\/vm\/state/],
  ["WebAssembly: contract code, hashes", /wasm:\/\/|dist\/vm\/(engine|contract)/],
  ["decoding and executing transactions", /dist\/(vm|primitives)\//],
  ["messages between threads", /postMessage|MessagePort|node:internal\/(worker|per_context)/],
  ["the event loop, promises, timers", /node:|runMicrotasks|^\(program\)/],
];

/** Shares of busy time, by part, of the thread in which `marker` ran. */
export function readCpuProfile(
  directory: string,
  marker: string,
  parts: readonly Part[] = JSON_RPC_PARTS,
): readonly Share[] {
  const profiles = readdirSync(directory).map((file) => readFileSync(join(directory, file), "utf8"));
  const text = profiles.find((one) => one.includes(marker));
  if (text === undefined) throw new Error(`no profile in ${directory} has ${marker}`);
  const { nodes, samples, timeDeltas } = JSON.parse(text) as Profile;
  const partOf = new Map(nodes.map(({ id, callFrame }) => [id, partOfFrame(callFrame, parts)]));
  const micros = new Map<string, number>();
  let busy = 0;
  for (const [index, id] of samples.entries()) {
    const part = partOf.get(id);
    if (part === undefined) continue;
    const delta = timeDeltas[index] ?? 0;
    busy += delta;
    micros.set(part, (micros.get(part) ?? 0) + delta);
  }
  return Array.from(micros, ([name, part]) => ({ name, percent: (100 * part) / busy })).toSorted(
    (one, other) => other.percent - one.percent,
  );
}

/** Undefined for idle time. */
function partOfFrame({ functionName, url }: Frame, parts: readonly Part[]): string | undefined {
  if (functionName === "(idle)") return undefined;
  const place = `${functionName} ${url}`;
  return parts.find(([, pattern]) => pattern.test(place))?.[0] ?? "the rest";
}
