/** Ports for real processes in specs, away from the defaults and from whatever else runs on this machine. */
import { assertPortsFree, PortInUseError } from "../../testnet/ports.ts";

const FIRST_BASE = 18_545;
const STEP = 100;
const TRIES = 20;

/** A base port whose whole range is free for `nodes` nodes. */
export async function freeBasePort(nodes: number): Promise<number> {
  for (let base = FIRST_BASE; base < FIRST_BASE + TRIES * STEP; base += STEP) {
    try {
      await assertPortsFree(base, nodes);
      return base;
    } catch (error) {
      if (!(error instanceof PortInUseError)) throw error;
    }
  }
  throw new Error(`no free ports from ${FIRST_BASE} on`);
}
