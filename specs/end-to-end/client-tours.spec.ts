/** viem, ethers, web3.js, wagmi core and cast, unmodified, do the same on one real node and find the same. Prose: specs/rpc/clients.md. */
import { deepEqual } from "node:assert/strict";
import { join } from "node:path";
import type { Abi } from "viem";
import { buildContract } from "../../contracts/build/build-contract.ts";
import type { Hex } from "../../primitives/bytes.ts";
import { deriveDevAccounts } from "../../primitives/dev-accounts.ts";
import { findCast } from "../support/cast.ts";
import { type SingleNode, startSingleNode } from "../support/single-node.ts";
import { PROJECT_ROOT } from "../support/vectors.ts";
import { castTour } from "./client-tours/cast-tour.ts";
import { ethersTour } from "./client-tours/ethers-tour.ts";
import { EXPECTED, type Findings, type TourWorld } from "./client-tours/tour.ts";
import { viemTour } from "./client-tours/viem-tour.ts";
import { wagmiTour } from "./client-tours/wagmi-tour.ts";
import { web3Tour } from "./client-tours/web3-tour.ts";

const TOURS = { viem: viemTour, ethers: ethersTour, "web3.js": web3Tour, "wagmi core": wagmiTour };

describe("Ethereum's clients deploy, read, write, watch, sign, batch, prove, estimate and replace", function () {
  this.timeout(180_000);
  let node: SingleNode;
  const tours = new Map<string, Promise<Findings>>();

  // All at once, each with its own account: they wait for the same blocks.
  before(async () => {
    const token = buildContract(join(PROJECT_ROOT, "contracts/examples/token.ts"), { typeCheck: false });
    const [started, { abi, bytecode }] = await Promise.all([startSingleNode(), token]);
    node = started;
    const worldOf = (index: number): TourWorld => {
      const account = deriveDevAccounts()[index];
      return {
        ...{ url: node.url, chainId: node.chainId },
        // viem shares one socket between all clients of a URL; each tour closes its own.
        webSocketUrl: `${node.url.replace("http", "ws")}/?tour=${index}`,
        ...{ abi: abi as unknown as Abi, bytecode: bytecode as Hex },
        ...{ key: account?.privateKey as Hex, owner: account?.address as Hex },
        recipient: `0x${String(index + 1).repeat(40)}`,
      };
    };
    for (const [index, [name, tour]] of Object.entries(TOURS).entries())
      tours.set(name, tour(worldOf(index)));
    const cast = findCast();
    if (cast !== undefined) tours.set("cast", castTour(cast, worldOf(5)));
    for (const tour of tours.values()) tour.catch(() => undefined);
  });
  after(() => node?.stop());

  for (const name of [...Object.keys(TOURS), "cast"]) {
    it(name, async function () {
      const tour = tours.get(name) ?? this.skip();
      deepEqual(await tour, EXPECTED);
    });
  }
});
