/** Which ports the testnet's nodes use, and whether they are free. */
import { createServer } from "node:net";

export type NodePorts = {
  readonly rpc: number;
  readonly p2p: number;
  readonly metrics: number;
  readonly beacon: number;
};

/** Ports of node `number` (from 1). */
export function portsOf(basePort: number, number: number): NodePorts {
  const rpc = basePort + number - 1;
  return { rpc, p2p: rpc + 1000, metrics: rpc + 2000, beacon: rpc + 3000 };
}

export class PortInUseError extends Error {
  override readonly name = "PortInUseError";
}

/** @throws PortInUseError naming the first port of 127.0.0.1 that cannot be listened on. */
export async function assertPortsFree(basePort: number, nodes: number): Promise<void> {
  for (let number = 1; number <= nodes; number++) {
    for (const [role, port] of Object.entries(portsOf(basePort, number))) {
      if (await isFree(port)) continue;
      throw new PortInUseError(
        `port ${port} (${role} of node ${number}) is in use: is another testnet running? Choose another --base-port`,
      );
    }
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once("error", () => resolve(false));
    probe.listen(port, "127.0.0.1", () => probe.close(() => resolve(true)));
  });
}
