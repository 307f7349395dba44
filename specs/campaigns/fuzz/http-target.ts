/** The HTTP APIs of a node: whatever is asked, the answer says what was wrong with it, and none is a fault of ours. */
import { Agent, type IncomingMessage, request } from "node:http";
import { utf8ToBytes } from "../../../primitives/bytes.ts";
import { keystoreOf, PASSWORD, publicKeyOf } from "../../node/keymanager-fixture.ts";

/** A request as it is damaged: a line with method and path, then the body. */
const asked = (line: string, body?: unknown): Uint8Array =>
  utf8ToBytes(`${line}\n${body === undefined ? "" : JSON.stringify(body)}`);

const KEY = publicKeyOf(1);
const ROOT = `0x${"11".repeat(32)}`;
const STATE = "/eth/v1/beacon/states";

/** A request of every kind that the beacon API reads something from. */
export const BEACON_SEEDS: readonly Uint8Array[] = [
  ...["head", "genesis", "finalized", "3", ROOT].map((id) => asked(`GET ${STATE}/${id}/root`)),
  asked(`GET ${STATE}/head/committees?epoch=1&index=0&slot=1`),
  asked(`GET ${STATE}/head/validators?id=0,1,${KEY}&status=active_ongoing,pending`),
  asked(`POST ${STATE}/head/validators`, { ids: ["0", KEY], statuses: ["active"] }),
  asked(`GET ${STATE}/head/validators/${KEY}`),
  asked(`POST ${STATE}/head/validator_balances`, ["1", KEY]),
  asked(`GET ${STATE}/head/pending_deposits`),
  asked(`GET /eth/v1/beacon/headers?slot=2&parent_root=${ROOT}`),
  ...["/eth/v1/beacon/headers/", "/eth/v2/beacon/blocks/"].map((path) => asked(`GET ${path}2`)),
  asked(`GET /eth/v1/beacon/blocks/${ROOT}/root`),
  asked("GET /eth/v1/node/peers?state=connected&direction=inbound"),
  asked("GET /eth/v1/node/health?syncing_status=299"),
  asked("GET /jurat/v1/rewards?id=0&epoch=1"),
  asked("GET /jurat/v1/light/set_change?period=0"),
  asked(`GET /jurat/v1/checkpoint/state?root=${ROOT}`),
  asked(`GET /jurat/v1/checkpoint/storage?block=1&after=${ROOT}`),
  asked(`GET /jurat/v1/checkpoint/codes?hashes=${ROOT},${ROOT}`),
  asked("GET /eth/v1/events?topics=head,block&last_event_id=run-5"),
  asked("POST /eth/v1/beacon/pool/voluntary_exits", {
    message: { epoch: "0", validator_index: "1" },
    signature: `0x${"00".repeat(96)}`,
  }),
];

/** The same of the keymanager API. What they change is the scratch folder's. */
export const KEYMANAGER_SEEDS: readonly Uint8Array[] = [
  asked("GET /eth/v1/keystores"),
  asked("POST /eth/v1/keystores", {
    ...{ keystores: [keystoreOf(1)], passwords: [PASSWORD] },
    slashing_protection: JSON.stringify({
      metadata: { interchange_format_version: "5", genesis_validators_root: ROOT },
      data: [{ pubkey: KEY, signed_blocks: [{ slot: "1" }], signed_attestations: [] }],
    }),
  }),
  asked("POST /eth/v1/keystores", {
    keystores: [keystoreOf(1), keystoreOf(2)],
    passwords: [PASSWORD, PASSWORD],
  }),
  asked("DELETE /eth/v1/keystores", { pubkeys: [KEY] }),
  asked("POST /eth/v1/remotekeys", { remote_keys: [{ pubkey: publicKeyOf(3), url: "http://127.0.0.1:9/" }] }),
  asked("DELETE /eth/v1/remotekeys", { pubkeys: [publicKeyOf(3)] }),
  asked(`POST /eth/v1/validator/${KEY}/feerecipient`, { ethaddress: `0x${"22".repeat(20)}` }),
  asked(`POST /eth/v1/validator/${KEY}/gas_limit`, { gas_limit: "30000000" }),
  asked(`POST /eth/v1/validator/${KEY}/graffiti`, { graffiti: "text" }),
  asked(`DELETE /eth/v1/validator/${KEY}/graffiti`),
  asked(`POST /eth/v1/validator/${KEY}/voluntary_exit?epoch=0`),
];

/** Sends each request over connections that are used again, as an attacker would. */
export function createHttpTarget(port: number, headers: Readonly<Record<string, string>> = {}) {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const read = async (bytes: Uint8Array): Promise<void> => {
    const text = Buffer.from(bytes).toString("utf8");
    const [line = "", ...rest] = text.split("\n");
    const [, method = "POST", target = line] = /^(GET|POST|DELETE) (.*)$/s.exec(line) ?? [];
    // What is no path at all is refused by Node's own parser, which is not looked at here.
    const path = `/${target.replace(/^\//, "").replace(/[^\x21-\x7e]/gu, encodeURIComponent)}`;
    const { status, body } = await send({ port, agent, path, headers, method }, rest.join("\n"));
    if (status >= 500) throw new Error(`${status} ${body}`);
  };
  return { read, close: () => agent.destroy() };
}

type Sent = {
  readonly port: number;
  readonly agent: Agent;
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
};

function send(options: Sent, body: string): Promise<{ readonly status: number; readonly body: string }> {
  return new Promise((resolve, reject) => {
    const bytes = Buffer.from(options.method === "GET" ? "" : body);
    // Node sends the body of a DELETE without saying how long it is.
    const headers = { ...options.headers, "content-length": bytes.length };
    const sent = request({ host: "127.0.0.1", ...options, headers }, (response) => {
      const status = response.statusCode ?? 0;
      // A stream of events has no end.
      if (response.headers["content-type"] === "text/event-stream") {
        response.destroy();
        resolve({ status, body: "" });
      } else resolve(textOf(response).then((text) => ({ status, body: text })));
    });
    sent.on("error", reject);
    sent.end(bytes);
  });
}

async function textOf(response: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of response) parts.push(part as Buffer);
  return Buffer.concat(parts).toString("utf8");
}
