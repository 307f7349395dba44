/** The flags of `jurat run` for the beacon API. See specs/node/rest.md. */
import type { Command } from "commander";
import { wholeNumber } from "./whole-number.ts";

export type RestConfig = {
  readonly beaconHost: string;
  readonly beaconPort: number;
  readonly beaconCorsOrigins: readonly string[];
  readonly beaconVirtualHosts: readonly string[];
};

export function addRestFlags(run: Command): void {
  run
    .option("--beacon-host <host>", "beacon API address", "127.0.0.1")
    .option(
      "--beacon-port <port>",
      "beacon API port, HTTP and server-sent events",
      wholeNumber(0, 65_535),
      5052,
    )
    .option("--beacon-cors-origins <origins...>", "whose pages may read answers; * is everyone", ["*"])
    .option("--beacon-virtual-hosts <names...>", "host names to answer to besides localhost; * is any", []);
}
