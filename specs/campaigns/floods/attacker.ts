/** The attacker's program: the floods it is told of, each with an identity of its own, until they are banned or time is over. */
import "../../../node/polyfill.ts";
import { readFileSync } from "node:fs";
import { setTimeout as pause, setImmediate } from "node:timers/promises";
import { computeForkDigest } from "../../../consensus/signing-root.ts";
import { readChainSpec } from "../../../node/chain-spec.ts";
import { buildConsensusGenesis, buildExecutionGenesis } from "../../../node/genesis.ts";
import { installNativeBackends } from "../../../node/native/install.ts";
import { encodeFrame, readAnswer } from "../../../node/network/chunks.ts";
import { Status } from "../../../node/network/messages.ts";
import { protocolId } from "../../../node/network/protocols.ts";
import { StreamReader } from "../../../node/network/stream-io.ts";
import { fromHex } from "../../../primitives/bytes.ts";
import { type AttackerPeer, startAttackerPeer } from "./attacker-peer.ts";
import { attackOf } from "./attacks.ts";
import type { Flood } from "./flood-matrix.ts";
import { forgedGossip } from "./forged-gossip.ts";

export type AttackOrder = {
  readonly specPath: string;
  readonly blockPath: string;
  readonly addresses: readonly string[];
  readonly host: string;
  readonly floods: readonly Flood[];
  readonly seconds: number;
};

export type AttackReport = {
  readonly target: string;
  readonly sent: number;
  /** Nodes that let it in, and those that threw it out. */
  readonly admitted: number;
  readonly thrownOut: number;
  /** Of those that threw it out, nodes that let the same identity in again right away. */
  readonly readmitted: number;
};

/** Between two questions for the head, well below a status quota. */
const HEAD_INTERVAL_MS = 1000;

/** What any peer may ask. */
async function headOf({ victims }: AttackerPeer, status: Status): Promise<Uint8Array | undefined> {
  const [victim] = victims();
  const signal = AbortSignal.timeout(HEAD_INTERVAL_MS);
  try {
    const stream = await victim?.connection.newStream(protocolId("status"), { signal });
    if (stream === undefined) return undefined;
    const reader = new StreamReader(stream);
    signal.addEventListener("abort", () => reader.release());
    stream.send(encodeFrame(Status.serialize({ ...status, clockMs: Date.now() })));
    await stream.close({ signal });
    const { chunks } = await readAnswer(reader, { chunks: 1, chunkBytes: 1024, totalBytes: 1024 });
    return chunks[0] === undefined ? undefined : Status.deserialize(chunks[0]).headRoot;
  } catch {
    return undefined;
  }
}

async function attack(order: AttackOrder): Promise<readonly AttackReport[]> {
  await installNativeBackends();
  const spec = readChainSpec(order.specPath);
  const genesis = buildConsensusGenesis(spec, buildExecutionGenesis(spec).block);
  const version = fromHex(spec.params.forks[0]?.version ?? "0x");
  const zero = { epoch: 0, root: genesis.blockRoot };
  const status = {
    ...{ forkDigest: computeForkDigest(version, genesis.state.genesisValidatorsRoot), clockMs: 0 },
    ...{
      genesisBlockRoot: genesis.blockRoot,
      finalized: zero,
      justified: zero,
      justifiedProofRoot: zero.root,
    },
    ...{ headSlot: 0, headRoot: genesis.blockRoot, earliestAvailableSlot: 0 },
  };
  let headRoot: Uint8Array = status.headRoot;
  const forge = forgedGossip(spec, readFileSync(order.blockPath), () => headRoot);
  const listen = `/ip4/${order.host}/tcp/0`;
  const { addresses } = order;
  return Promise.all(
    order.floods.map(async (flood) => {
      const peer = await startAttackerPeer(addresses, status, listen);
      const admitted = peer.victims().length;
      // Gossip streams are opened a moment after the connection.
      await pause(500);
      const volley = attackOf(flood, { peer, status, forge, addresses, listen });
      const endMs = performance.now() + order.seconds * 1000;
      let sent = 0;
      // Only forged messages need to know; a question more would count against the others' quotas.
      const following = setInterval(() => {
        if (flood.kind !== "bad-signature") return;
        void headOf(peer, status).then((root) => {
          headRoot = root ?? headRoot;
        });
      }, HEAD_INTERVAL_MS);
      if (flood.kind === "bad-signature") headRoot = (await headOf(peer, status)) ?? headRoot;
      while (performance.now() < endMs && (flood.group === "connection" || peer.victims().length > 0)) {
        const more = await volley();
        sent += more;
        if (more === 0) await pause(20);
        else await setImmediate();
      }
      clearInterval(following);
      const thrownOut = admitted - peer.victims().length;
      const readmitted = await peer.reenter();
      await peer.stop();
      return { target: flood.target, sent, admitted, thrownOut, readmitted };
    }),
  );
}

const order = JSON.parse(readFileSync(process.argv[2] ?? "", "utf8")) as AttackOrder;
console.log(JSON.stringify(await attack(order)));
process.exit(0);
