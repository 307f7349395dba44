/** `jurat dev --watch`. Prose: dev.md#watching. */
import { equal, match } from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createTestClient, type Hex, http, parseAbi, publicActions, walletActions } from "viem";
import { anvil } from "viem/chains";
import { type DevNode, startDevNode } from "../../node/dev/dev-node.ts";
import { withScratchDirectory } from "../support/scratch-directory.ts";

const source = (
  fields: string,
  value: string,
  init = "",
) => `import { contract, external, init, storage, view } from "chain:std";
const state = storage({ ${fields} });
export default contract({
  name: "Box",${init}
  functions: {
    value: view("() returns (uint256)", () => ${value}),
    set: external("(uint256 value)", (value) => { state.value = value; }),
  },
});
`;
const abi = parseAbi(["function value() view returns (uint256)", "function set(uint256 value)"]);

describe("jurat dev --watch", function () {
  this.timeout(120_000);

  it("gives a contract its new code where it is, with its state, and elsewhere when the storage moved", () =>
    withScratchDirectory(async (directory) => {
      const folder = join(directory, "contracts");
      mkdirSync(folder);
      const file = join(folder, "box.ts");
      writeFileSync(file, source('value: "uint256"', "state.value"));
      let printed = "";
      let onPrinted = (): void => undefined;
      const config = { rpcHost: "127.0.0.1", rpcPort: 0, chainId: anvil.id, explorer: false, watch: file };
      const node: DevNode = await startDevNode(
        { ...config, dir: undefined, blockTime: undefined },
        (text) => {
          printed += text;
          onPrinted();
        },
      );
      /** The first match behind what was read before. */
      const waitFor = (pattern: RegExp) =>
        new Promise<RegExpExecArray>((resolve) => {
          onPrinted = () => {
            const found = pattern.exec(printed);
            if (found === null) return;
            printed = printed.slice(found.index + found[0].length);
            onPrinted = () => undefined;
            resolve(found);
          };
          onPrinted();
        });
      try {
        const client = createTestClient({ mode: "anvil", chain: anvil, transport: http(node.url) })
          .extend(publicActions)
          .extend(walletActions);
        const [account] = await client.getAddresses();
        const [, first = ""] = await waitFor(/watch {2}Box is at (0x\w+)/);
        const read = (address: string) =>
          client.readContract({ address: address as Hex, abi, functionName: "value" });
        await client.writeContract({
          address: first as Hex,
          abi,
          functionName: "set",
          args: [7n],
          account: account!,
        });
        equal(await read(first), 7n);

        writeFileSync(file, source('value: "uint256", more: "uint256"', "state.value * 2n"));
        await waitFor(/watch {2}Box at 0x\w+ has the new code, and its state/);
        equal(await read(first), 14n);

        writeFileSync(file, source('value: "uint256"', "state.valu"));
        match((await waitFor(/does not build:\n.*\n/))[0], /box\.ts:6:\d+: error TS/);
        equal(await read(first), 14n);

        writeFileSync(file, source('more: "uint256", value: "uint256"', "state.value + 1n"));
        await waitFor(/keeps the old code: the storage is laid out otherwise/);
        const [, second = ""] = await waitFor(/watch {2}Box is at (0x\w+)/);
        equal(await read(first), 14n);
        equal(await read(second), 1n);
      } finally {
        await node.close();
      }
    }));
});
