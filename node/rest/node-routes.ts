/** What the node says of itself. See specs/node/rest.md#node. */
import { mayDoDuties } from "../../consensus/duties.ts";
import { CLIENT_VERSION } from "../client-version.ts";
import type { PeerSummary } from "../network/network-port.ts";
import { badRequest } from "./rest-error.ts";
import { get, json, listOf, type Route } from "./route.ts";
import type { RestView } from "./view.ts";

const PEER_STATES = ["disconnected", "connecting", "connected", "disconnecting"];
const DIRECTIONS = ["inbound", "outbound"];
/** Subnets a node may persistently listen to (phase0, ATTESTATION_SUBNET_COUNT 64): votes are not on subnets here. */
const NO_SUBNETS = `0x${"00".repeat(8)}`;

export function nodeRoutes(view: RestView): readonly Route[] {
  const { network } = view;
  return [
    get("/eth/v1/node/version", () => json({ data: { version: CLIENT_VERSION } })),
    get("/eth/v1/node/health", ({ query }) => {
      const whileSyncing = healthStatus(query.get("syncing_status"));
      return { kind: "empty", status: syncing(view).is_syncing ? whileSyncing : 200 };
    }),
    get("/eth/v1/node/syncing", () => json({ data: syncing(view) })),
    get("/eth/v1/node/identity", () =>
      json({
        data: {
          peer_id: network.peerId,
          // Peers are found by configured addresses, not by records of the discovery protocol.
          enr: "",
          p2p_addresses: network.addresses(),
          discovery_addresses: [],
          metadata: { seq_number: "0", attnets: NO_SUBNETS },
        },
      }),
    ),
    get("/eth/v1/node/peers", ({ query }) => {
      const states = choices(query, "state", PEER_STATES);
      const directions = choices(query, "direction", DIRECTIONS);
      const isShown = ({ direction }: PeerSummary) =>
        states.includes("connected") && directions.includes(direction);
      const data = network.peers().filter(isShown).map(peerJson);
      return json({ data, meta: { count: data.length } });
    }),
    get("/eth/v1/node/peer_count", () => {
      const connected = String(network.peers().length);
      return json({ data: { disconnected: "0", connecting: "0", connected, disconnecting: "0" } });
    }),
  ];
}

/** Not in step is who may not do duties: too far behind, or too few peers heard to know. */
function syncing({ engine, syncTargetSlot }: RestView) {
  const headSlot = engine.blocks.get(engine.store.headRoot)?.slot ?? 0;
  const target = Math.max(syncTargetSlot() ?? 0, engine.store.nowSlot);
  const isSyncing = !mayDoDuties(engine);
  return {
    head_slot: String(headSlot),
    sync_distance: String(isSyncing ? Math.max(0, target - headSlot) : 0),
    is_syncing: isSyncing,
    is_optimistic: false,
    el_offline: false,
  };
}

/** A status below 200 is no last word of an HTTP answer, so it is refused although the API would allow it. */
function healthStatus(text: string | null): number {
  if (text === null) return 206;
  const status = Number(text);
  if (/^\d{3}$/.test(text) && status >= 200 && status <= 599) return status;
  throw badRequest("Invalid syncing status code");
}

function choices(query: URLSearchParams, name: string, known: readonly string[]): readonly string[] {
  const chosen = listOf(query, name);
  const wrong = chosen.find((text) => !known.includes(text));
  if (wrong !== undefined) throw badRequest(`Invalid ${name}: ${wrong.slice(0, 80)}`);
  return chosen.length === 0 ? known : chosen;
}

function peerJson({ id, address, direction }: PeerSummary) {
  return { peer_id: id, enr: null, last_seen_p2p_address: address, state: "connected", direction };
}
