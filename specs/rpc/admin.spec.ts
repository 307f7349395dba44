/** What an operator sees and sets of the network. Prose: methods.md#admin. */
import { deepEqual, equal } from "node:assert/strict";
import { answerNetwork } from "../../node/network/network-answers.ts";
import { createDispatcher } from "../../rpc/dispatch.ts";
import type { RpcContext } from "../../rpc/method.ts";
import { METHODS, METHODS_WITH_ADMIN } from "../../rpc/method-table.ts";
import { createRateLimit } from "../../rpc/rate-limit.ts";
import { DEFAULT_RPC_LIMITS } from "../../rpc/rpc-limits.ts";
import { closeAll, startNode, type TestNode } from "../network/harness.ts";
import { OpenRpc } from "../support/openrpc.ts";
import type { Loose } from "./rpc-fixture.ts";

const GENESIS = { blockRoot: new Uint8Array(32).fill(7) };
const HEAD = `0x${"ab".repeat(32)}`;

/** Asks a real network through the dispatcher; each result must fit the document that is served with it. */
async function operatorOf({ network }: TestNode, methods = METHODS_WITH_ADMIN) {
  const view = { network, chainId: 8700, genesis: GENESIS, headRoot: () => HEAD };
  const askNetwork: RpcContext["chain"]["askNetwork"] = async (question) => answerNetwork(question, view);
  const context = {
    chain: { clientVersion: "jurat/spec", askNetwork },
    limits: DEFAULT_RPC_LIMITS,
    rate: createRateLimit(Number.POSITIVE_INFINITY, () => 0),
  } as unknown as RpcContext;
  const dispatcher = createDispatcher({
    methods,
    onFault: (error) => {
      throw error;
    },
  });
  const ask = async (method: string, ...params: unknown[]): Promise<Loose> =>
    JSON.parse(
      (await dispatcher.handle(JSON.stringify({ jsonrpc: "2.0", id: 1, method, params }), context)) ?? "{}",
    );
  const document = new OpenRpc((await ask("rpc.discover")).result);
  return async (method: string, ...params: unknown[]): Promise<Loose> => {
    const { result, error } = await ask(method, ...params);
    if (error !== undefined) return error;
    equal(document.problemOf(method, result), undefined);
    return result;
  };
}

describe("admin", () => {
  afterEach(closeAll);

  it("is not served unless asked for", async () => {
    const ask = await operatorOf(await startNode(), METHODS);
    for (const method of ["admin_nodeInfo", "admin_peers", "admin_addPeer"]) {
      const message = `the method ${method} does not exist/is not available`;
      deepEqual(await ask(method), { code: -32601, message });
    }
    equal("admin" in (await ask("rpc_modules")), false);
  });

  it("connects one node to another by what the other tells of itself, and shows it", async () => {
    const first = await startNode();
    const second = await startNode({}, { headSlot: 9 });
    const [lower, higher] = first.id < second.id ? [first, second] : [second, first];
    const askLower = await operatorOf(lower);
    const info = await (await operatorOf(higher))("admin_nodeInfo");
    deepEqual([info.id, info.enode, info.addresses], [higher.id, higher.address, [higher.address]]);
    deepEqual(info.protocols.jurat, { network: 8700, genesis: `0x${"07".repeat(32)}`, head: HEAD });
    deepEqual(await askLower("admin_peers"), []);
    equal(await askLower("admin_addPeer", info.enode), true);
    await lower.statuses.first(({ peer }) => peer === higher.id);
    const [peer, ...others] = await askLower("admin_peers");
    deepEqual([peer.id, peer.network.inbound, others], [higher.id, false, []]);
    deepEqual([peer.protocols.jurat.headSlot, peer.protocols.jurat.score], [higher.status.headSlot, 0]);
    equal(await askLower("admin_addPeer", info.enode), true);
    equal(await askLower("admin_addPeer", lower.address), false);
  });

  it("says what is wrong with an address", async () => {
    const ask = await operatorOf(await startNode());
    const expected = "expected one such as /ip4/127.0.0.1/tcp/9000/p2p/12D3Koo…";
    for (const wrong of ["", "enode://ab@127.0.0.1:1", "/ip4/300.0.0.1/tcp/1"]) {
      const message = `invalid address: ${wrong}; ${expected}`;
      deepEqual(await ask("admin_addPeer", wrong), { code: -32000, message });
    }
    equal((await ask("admin_addPeer", `/dns4/${"a".repeat(600)}/tcp/1`)).code, -32602);
    equal((await ask("admin_addPeer", 7)).code, -32602);
  });
});
