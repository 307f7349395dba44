/** The guards at every entrance of the node, put together. See specs/network/floods.md */
import type { Connection, Libp2p, MultiaddrConnection } from "@libp2p/interface";
import { AddressGuard, hostOf } from "./address-guard.ts";
import { FloodGuard, type FloodGuardOptions } from "./flood-guard.ts";
import { type MeteredGossip, meterGossip } from "./gossip-meter.ts";
import type { NetworkLog, NetworkMetrics, PeerId } from "./network-port.ts";
import { guardBytes, guardStreams } from "./stream-guard.ts";

export interface IntakeOptions extends FloodGuardOptions {
  readonly log: NetworkLog;
  readonly metrics: Pick<NetworkMetrics, "banned">;
  readonly connections: () => readonly Connection[];
  /** Whose status is known and whose score is not low. */
  readonly isInGoodStanding: (peer: PeerId) => boolean;
}

export class Intake {
  readonly flood: FloodGuard;
  readonly #options: IntakeOptions;
  readonly #addresses: AddressGuard;

  constructor(options: IntakeOptions) {
    this.#options = options;
    this.flood = new FloodGuard(options);
    this.#addresses = new AddressGuard({
      nowMs: options.nowMs,
      connectionsFrom: (address) => this.#from(address).length,
      isTrusted: (address) =>
        this.#from(address).some(({ remotePeer }) => options.isInGoodStanding(remotePeer.toString())),
      onBanned: (address) => this.#onAddressBanned(address),
    });
  }

  refuses(raw: MultiaddrConnection): boolean {
    return this.#addresses.refuses(raw);
  }

  identified(peer: PeerId, raw: MultiaddrConnection): void {
    this.#addresses.identified(raw);
    guardBytes(raw, peer, this.flood);
  }

  /** A peer from this address was sent away. */
  onOffence(address: string): void {
    this.#addresses.strike(address);
  }

  /** Before libp2p is started. */
  attach(libp2p: Libp2p, pubsub: MeteredGossip): void {
    const { penalize } = this.#options;
    meterGossip(pubsub, { guard: this.flood, penalize });
    libp2p.addEventListener("connection:open", ({ detail }) => {
      guardStreams(detail, { flood: this.flood, penalize });
    });
  }

  #from(address: string): readonly Connection[] {
    return this.#options.connections().filter(({ remoteAddr }) => hostOf(remoteAddr.toString()) === address);
  }

  #onAddressBanned(address: string): void {
    this.#options.metrics.banned("address");
    this.#options.log.info("address banned", { address });
    for (const connection of this.#from(address)) {
      if (!this.#options.isInGoodStanding(connection.remotePeer.toString()))
        connection.abort(new Error("address banned"));
    }
  }
}
