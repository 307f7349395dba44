/** Ports for real processes in specs, away from the defaults and from whatever else runs on this machine. */
import { assertPortsFree, PortInUseError } from "../../testnet/ports.ts";

const FIRST_BASE = 18_545;
/** A node also uses its base port plus 1000 and plus 2000: bases stay within less than that. */
const BASES = 900;
const STEP = 13;
const TRIES = 40;

/** A base port whose whole range is free for `nodes` nodes. */
export async function freeBasePort(nodes: number): Promise<number> {
  for (let attempt = 0; attempt < TRIES; attempt++) {
    // Suites that run side by side begin to look in different places.
    const base = FIRST_BASE + (((process.pid + attempt) * STEP) % BASES);
    try {
      await assertPortsFree(base, nodes);
      return base;
    } catch (error) {
      if (!(error instanceof PortInUseError)) throw error;
    }
  }
  throw new Error(`no free ports from ${FIRST_BASE} on`);
}
