/** Keeps connections to known addresses, for ever. See specs/network/peers.md#dialling */
import type { Multiaddr } from "@multiformats/multiaddr";
import { parseAddress, peerIdOf, transportPart } from "./address.ts";
import type { NetworkLog } from "./network-port.ts";

/** First wait after a failed dial; it grows by half with each failure, up to the cap. */
export const BACK_OFF_MS = 200;
export const BACK_OFF_CAP_MS = 5000;
/** The higher id waits this long for the lower one to dial, each time there is no connection. */
export const HIGHER_ID_WAIT_MS = 1000;
const DIAL_TIMEOUT_MS = 5000;
const TICK_MS = 100;
/** Addresses we keep dialling. */
export const MAX_ADDRESSES = 256;

interface Target {
  readonly address: Multiaddr;
  /** From the address, or learned from who answered there. */
  peer: string | undefined;
  /** Dials in a row that failed, or whose connection did not last. */
  failures: number;
  connectedAtMs: number;
  nextDialMs: number;
  isDialling: boolean;
}

export interface DialerOptions {
  readonly ownPeer: string;
  readonly dial: (address: Multiaddr, signal: AbortSignal) => Promise<unknown>;
  readonly isConnected: (peer: string) => boolean;
  readonly isBanned: (peer: string) => boolean;
  readonly nowMs: () => number;
  readonly log: NetworkLog;
}

export class Dialer {
  readonly #options: DialerOptions;
  readonly #targets = new Map<string, Target>();
  readonly #closing = new AbortController();
  #timer: NodeJS.Timeout | undefined;

  constructor(options: DialerOptions) {
    this.#options = options;
  }

  /**
   * Whether the address is dialled from now on: not our own, nor one beyond MAX_ADDRESSES.
   * @throws NetworkError when `address` is not a multiaddr.
   */
  add(address: string): boolean {
    const parsed = parseAddress(address);
    const peer = peerIdOf(parsed);
    const key = transportPart(parsed.toString());
    if (this.#targets.has(key)) return true;
    if (peer === this.#options.ownPeer || this.#targets.size >= MAX_ADDRESSES) return false;
    const target: Target = {
      address: parsed,
      peer,
      failures: 0,
      connectedAtMs: 0,
      nextDialMs: 0,
      isDialling: false,
    };
    this.#targets.set(key, target);
    this.#scheduleNext(target);
    return true;
  }

  start(): void {
    this.#timer ??= setInterval(() => this.#tick(), TICK_MS);
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#closing.abort();
  }

  /** Who answered at an address. Our own addresses are dropped. */
  learn(address: string, peer: string): void {
    const key = transportPart(address);
    if (peer === this.#options.ownPeer) this.#targets.delete(key);
    const target = this.#targets.get(key);
    if (target !== undefined) target.peer = peer;
  }

  /** A connection ended. A peer that closes at once what it accepts gets the same back-off as one that refuses. */
  onDisconnected(peer: string): void {
    for (const target of this.#targets.values()) {
      if (target.peer !== peer) continue;
      const hasLasted = this.#options.nowMs() - target.connectedAtMs > BACK_OFF_CAP_MS;
      target.failures = hasLasted ? 0 : target.failures + 1;
      this.#scheduleNext(target);
    }
  }

  #tick(): void {
    const now = this.#options.nowMs();
    for (const target of this.#targets.values()) {
      const { peer } = target;
      if (target.isDialling || now < target.nextDialMs) continue;
      if (peer !== undefined && (this.#options.isConnected(peer) || this.#options.isBanned(peer))) continue;
      void this.#dial(target);
    }
  }

  async #dial(target: Target): Promise<void> {
    target.isDialling = true;
    const signal = AbortSignal.any([this.#closing.signal, AbortSignal.timeout(DIAL_TIMEOUT_MS)]);
    try {
      await this.#options.dial(target.address, signal);
      target.connectedAtMs = this.#options.nowMs();
    } catch (error) {
      target.failures++;
      // Refused by the gater because the peer connected to us in the meantime: that is a success.
      if (target.peer === undefined || !this.#options.isConnected(target.peer)) {
        this.#options.log.debug("dial failed", { address: target.address.toString(), error: String(error) });
      }
    } finally {
      target.isDialling = false;
      this.#scheduleNext(target);
    }
  }

  #scheduleNext(target: Target): void {
    const { nowMs, ownPeer } = this.#options;
    const backOffMs = Math.min(BACK_OFF_CAP_MS, BACK_OFF_MS * 1.5 ** target.failures);
    const isHigher = target.peer !== undefined && ownPeer > target.peer;
    const waitMs = target.failures === 0 ? (isHigher ? HIGHER_ID_WAIT_MS : 0) : backOffMs;
    // Up to a quarter more, so that nodes started together do not dial in step.
    target.nextDialMs = nowMs() + waitMs * (1 + Math.random() / 4);
  }
}
