/** What may come in from one network address, whoever it says it is. See specs/network/floods.md#addresses */
import type { MultiaddrConnection } from "@libp2p/interface";

/** Connections from one address that are not usable yet. A test network of 64 nodes on one machine begins like that. */
export const MAX_PENDING_PER_ADDRESS = 64;
/** Connections from one address at once: some of the hundred are left to others. */
export const MAX_CONNECTIONS_PER_ADDRESS = 80;
/** Faults of an address without a peer in good standing after which it is refused: a peer whose dials time out makes fewer. */
export const MAX_STRIKES = 32;
/** The same where a peer in good standing is connected: it shall not suffer for its neighbours, nor hide them for ever. */
export const MAX_STRIKES_BESIDE_TRUSTED = 256;
/** Half of the strikes are forgiven in this time. */
const STRIKE_HALF_LIFE_MS = 60_000;
/** How long an address is refused. */
export const ADDRESS_BAN_MS = 60_000;
/** libp2p gives an accepted connection this long to become usable. */
const UPGRADE_MS = 10_000;
/** Addresses remembered at once; the one longest without fault is forgotten first. */
export const MAX_ADDRESSES_REMEMBERED = 1024;

interface Entry {
  strikes: number;
  atMs: number;
  bannedUntilMs: number;
  readonly pending: Map<MultiaddrConnection, number>;
}

export interface AddressGuardOptions {
  readonly nowMs: () => number;
  /** Usable connections from this address. */
  readonly connectionsFrom: (address: string) => number;
  /** Whether a peer in good standing is connected from there. */
  readonly isTrusted: (address: string) => boolean;
  readonly onBanned: (address: string) => void;
}

export class AddressGuard {
  readonly #options: AddressGuardOptions;
  readonly #entries = new Map<string, Entry>();

  constructor(options: AddressGuardOptions) {
    this.#options = options;
  }

  /** Whether a connection that was just accepted is closed again. */
  refuses(raw: MultiaddrConnection): boolean {
    const address = hostOf(raw.remoteAddr.toString());
    const now = this.#options.nowMs();
    const entry = this.#entryOf(address, now);
    for (const [pending, sinceMs] of entry.pending) {
      if (pending.status === "open" && now - sinceMs < UPGRADE_MS) continue;
      // It never told who it is.
      entry.pending.delete(pending);
      this.strike(address);
    }
    if (entry.bannedUntilMs > now) return true;
    const isFull =
      entry.pending.size >= MAX_PENDING_PER_ADDRESS ||
      this.#options.connectionsFrom(address) >= MAX_CONNECTIONS_PER_ADDRESS;
    if (isFull) {
      this.strike(address);
      return true;
    }
    entry.pending.set(raw, now);
    return false;
  }

  /** It is known now who connects. */
  identified(raw: MultiaddrConnection): void {
    this.#entries.get(hostOf(raw.remoteAddr.toString()))?.pending.delete(raw);
  }

  /** A peer from this address was banned, or sent away, or never came to be one. */
  strike(address: string): void {
    const host = hostOf(address);
    const now = this.#options.nowMs();
    const entry = this.#entryOf(host, now);
    entry.strikes = entry.strikes * 0.5 ** ((now - entry.atMs) / STRIKE_HALF_LIFE_MS) + 1;
    entry.atMs = now;
    if (entry.bannedUntilMs > now || entry.strikes < MAX_STRIKES) return;
    if (isLoopback(host)) return;
    if (entry.strikes < MAX_STRIKES_BESIDE_TRUSTED && this.#options.isTrusted(host)) return;
    entry.bannedUntilMs = now + ADDRESS_BAN_MS;
    entry.strikes = 0;
    this.#options.onBanned(host);
  }

  #entryOf(address: string, now: number): Entry {
    const entry = this.#entries.get(address) ?? {
      ...{ strikes: 0, atMs: now, bannedUntilMs: 0 },
      pending: new Map(),
    };
    this.#entries.delete(address);
    this.#entries.set(address, entry);
    for (const oldest of this.#entries.keys()) {
      if (this.#entries.size <= MAX_ADDRESSES_REMEMBERED) break;
      this.#entries.delete(oldest);
    }
    return entry;
  }
}

/** Whoever is on this machine can do worse, and a test network must not shut itself out. */
function isLoopback(host: string): boolean {
  return host.startsWith("/ip4/127.") || host === "/ip6/::1";
}

/** The host of a multiaddr, without port and peer: `/ip4/192.0.2.1`. */
export function hostOf(address: string): string {
  return address.split("/").slice(0, 3).join("/");
}
