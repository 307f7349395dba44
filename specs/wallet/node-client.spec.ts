/** The wallet's connection to what calls itself a node. Prose: wallet.md. */
import { equal, rejects } from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { connect } from "../../wallet-cli/node-client.ts";
import { WalletError } from "../../wallet-cli/wallet-error.ts";

describe("the wallet's connection to a node", () => {
  let bodies: readonly string[] = [];
  let url: string;
  const server = createServer((_request, response) => {
    const [body = "", ...rest] = bodies;
    bodies = rest;
    response.end(body);
  });
  before(async () => {
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  after(() => server.close());

  const saying = (text: RegExp) => (error: unknown) => {
    equal(error instanceof WalletError && error.kind, "unreachable");
    return text.test((error as WalletError).message);
  };

  it("says in a sentence what is wrong with an answer that is none", async () => {
    for (const [body, text] of [
      ["<html>", /does not answer with JSON/],
      ["null", /does not speak JSON-RPC/],
      ["{}", /does not speak JSON-RPC/],
      ['{"result":5}', /answers eth_chainId with 5: is it the JSON-RPC of a node\?/],
      ['{"result":"0xzz"}', /answers eth_chainId with "0xzz"/],
      ['{"result":null}', /answers eth_chainId with null/],
    ] as const) {
      bodies = [body];
      await rejects(connect(url), saying(text), body);
    }
  });

  it("takes no number, data, block or list that is something else", async () => {
    for (const [method, result] of [
      ["eth_getBalance", "ten"],
      ["eth_estimateGas", `0x${"f".repeat(65)}`],
      ["eth_call", "0x123"],
      ["eth_getBlockByNumber", []],
      ["eth_getTransactionReceipt", "0x1"],
      ["eth_getLogs", null],
    ] as const) {
      bodies = ['{"result":"0x1"}', JSON.stringify({ result })];
      const client = await connect(url);
      await rejects(client.request(method), saying(new RegExp(`answers ${method} with `)), method);
    }
    bodies = ['{"result":"0x1"}', '{"result":{"any":"shape"}}'];
    equal((await (await connect(url)).request<{ any: string }>("eth_other")).any, "shape");
  });
});
