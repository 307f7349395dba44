/** Multiaddrs as an operator writes them. See specs/network/peers.md#dialling */
import { type Multiaddr, multiaddr } from "@multiformats/multiaddr";
import { NetworkError } from "./network-error.ts";

/** @throws NetworkError NETWORK_BAD_ADDRESS */
export function parseAddress(address: string): Multiaddr {
  let parsed: Multiaddr;
  try {
    parsed = multiaddr(address);
  } catch (cause) {
    throw new NetworkError({ code: "NETWORK_BAD_ADDRESS", address }, { cause });
  }
  // The empty text is a multiaddr too, and nothing but TCP is spoken here.
  if (parsed.getComponents().some(({ name }) => name === "tcp")) return parsed;
  throw new NetworkError({ code: "NETWORK_BAD_ADDRESS", address });
}

/** The peer id an address ends in, if it has one. */
export function peerIdOf(address: Multiaddr): string | undefined {
  return address.getComponents().findLast(({ name }) => name === "p2p")?.value;
}

/** The address without the peer id: where it leads, whoever is there. */
export function transportPart(address: string): string {
  return address.split("/p2p/")[0] ?? address;
}
