import { deepEqual, equal, match, ok, rejects } from "node:assert/strict";
import { cpSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import {
  BlockFileError,
  type BlockFileErrorDetail,
  blockFileName,
  decodeBlockFile,
  encodeBlockFile,
} from "../../node/db/block-file.ts";
import { exportBlocks, readChecksums, sha256Hex } from "../../node/db/export-blocks.ts";
import { type Folder, openFolder } from "../../node/db/folder.ts";
import { importBlocks } from "../../node/db/import-blocks.ts";
import { inspectFolder } from "../../node/db/inspect-folder.ts";
import { pruneExecution } from "../../node/db/prune-folder.ts";
import { verifyFolder } from "../../node/db/verify-folder.ts";
import { describeStartFailure } from "../../node/start-failure.ts";
import { hashKey } from "../../node/storage/state-codec.ts";
import { withScratchDirectory } from "../support/scratch-directory.ts";
import { type SingleNode, startSingleNode } from "../support/single-node.ts";

const GENESIS = `0x${"12".repeat(32)}` as const;

describe("files of blocks", () => {
  const refusal = (bytes: Uint8Array, genesis: `0x${string}` = GENESIS): BlockFileErrorDetail | undefined => {
    try {
      for (const _ of decodeBlockFile("f", genesis, bytes));
      return undefined;
    } catch (error) {
      if (!(error instanceof BlockFileError)) throw error;
      return error.detail;
    }
  };

  it("give back what was put in, and have the bytes they always had", () => {
    const blocks = fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 20 });
    fc.assert(
      fc.property(blocks, (list) => {
        deepEqual([...decodeBlockFile("f", GENESIS, encodeBlockFile(GENESIS, list))], list);
      }),
    );
    equal(
      Buffer.from(encodeBlockFile(GENESIS, [Uint8Array.of(1, 2, 3)])).toString("hex"),
      `6532000000000000${"4a47200000000000"}${"12".repeat(32)}4a4205000000000003080102${"03"}`,
    );
    equal(blockFileName(GENESIS, 2), "jurat-12121212-00016384-00024575.e2s");
  });

  it("of another chain, cut off or changed are refused, whatever the change", () => {
    const bytes = encodeBlockFile(GENESIS, [new Uint8Array(500).fill(7), Uint8Array.of(1)]);
    equal(refusal(bytes, `0x${"13".repeat(32)}`)?.code, "BLOCK_FILE_WRONG_CHAIN");
    equal(refusal(new Uint8Array(0))?.code, "BLOCK_FILE_MALFORMED");
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.nat(255), (at, byte) => {
        const changed = bytes.slice();
        changed[at] = byte;
        refusal(changed);
        refusal(bytes.subarray(0, at));
      }),
    );
  });
});

describe("a node's folder", function () {
  this.timeout(120_000);
  let node: SingleNode;

  before(async () => {
    node = await startSingleNode();
    for (let finalized = 0; finalized < 6; ) {
      const body = { jsonrpc: "2.0", id: 1, method: "eth_getBlockByNumber", params: ["finalized", false] };
      const headers = { "content-type": "application/json" };
      const response = await fetch(node.url, { method: "POST", headers, body: JSON.stringify(body) });
      const { result } = (await response.json()) as { result: { number: string } };
      finalized = Number(result.number);
    }
  });

  after(() => node.stop());

  const within = async <T>(
    dir: string,
    readOnly: boolean,
    body: (folder: Folder) => T | Promise<T>,
  ): Promise<T> => {
    const folder = await openFolder({ dir, chainSpec: node.folder.chainSpec }, readOnly);
    try {
      return await body(folder);
    } finally {
      await folder.close();
    }
  };

  /** The node's folder as it was when it stopped, for one spec to change. */
  const copied = (body: (dir: string) => Promise<void>) =>
    withScratchDirectory(async (directory) => {
      const dir = join(directory, "node");
      cpSync(node.folder.dir, dir, { recursive: true });
      await body(dir);
    });

  it("is inspected while the node runs, and not verified", async () => {
    const { consensus, execution } = await within(node.folder.dir, true, inspectFolder);
    ok(consensus.finalizedSlot > 0 && execution.finalizedNumber >= 6);
    ok(consensus.highestSlot >= consensus.finalizedSlot);
    await rejects(within(node.folder.dir, false, verifyFolder), (error: unknown) => {
      const { exitCode, message } = describeStartFailure(error);
      equal(exitCode, 4);
      match(message, /in use by another process/);
      return true;
    });
    await node.halt();
  });

  it("is whole after a stop; what was changed in it is named", () =>
    copied(async (dir) => {
      deepEqual(await within(dir, false, verifyFolder), []);
      await within(dir, false, ({ execution, consensus }) => {
        // Block 2 under the hash of block 3, and a beacon block that is none.
        const hashes = [...execution.table("canonical").range({ limit: 4 })].map(({ value }) => value);
        const [, root] = [...consensus.table("beacon-canonical").range({ limit: 2 })].map(
          ({ value }) => value,
        );
        const blocks = execution.table("blocks");
        const [, , second, third] = hashes;
        ok(second !== undefined && third !== undefined && root !== undefined);
        const bytes = blocks.get(second);
        ok(bytes !== undefined);
        execution.write(() => blocks.put(third, bytes));
        consensus.write(() => consensus.table("beacon-blocks").put(root, Uint8Array.of(1)));
      });
      const faults = await within(dir, false, verifyFolder);
      ok(
        faults.some((fault) => /^block 3 is not what its hash 0x/.test(fault)),
        faults.join("\n"),
      );
      ok(
        faults.some((fault) => /^the beacon block of slot \d+ cannot be read$/.test(fault)),
        faults.join("\n"),
      );
    }));

  it("is pruned to a few states, gives room back, and stays whole", () =>
    copied(async (dir) => {
      const state = await within(dir, true, inspectFolder);
      const report = await within(dir, false, ({ execution }) =>
        pruneExecution(execution, join(dir, "execution"), 2),
      );
      equal(report.oldestState, state.execution.finalizedNumber - 2);
      ok(report.after <= report.before);
      deepEqual(await within(dir, false, verifyFolder), []);
      deepEqual(readdirSync(join(dir, "execution")).includes("compact"), false);
    }));

  it("is exported and executed again by another node, to the same state", () =>
    withScratchDirectory(async (directory) => {
      const files = join(directory, "files");
      const exported = await within(node.folder.dir, true, (folder) =>
        exportBlocks(folder, files, { first: 0, last: undefined }),
      );
      const [name = ""] = readdirSync(files).filter((file) => file.endsWith(".e2s"));
      equal(readChecksums(files).get(name), sha256Hex(readFileSync(join(files, name))));

      const dir = join(directory, "other");
      const fill = () =>
        within(dir, false, (folder) => importBlocks(folder, files, Date.now, () => undefined));
      equal((await fill()).imported, exported.blocks);
      deepEqual(await fill(), { files: 1, imported: 0, known: exported.blocks });
      deepEqual(await within(dir, false, verifyFolder), []);
      const report = await within(dir, true, inspectFolder);
      ok(report.execution.finalizedNumber > 0);
      const hash = await within(node.folder.dir, true, ({ execution }) =>
        execution.table("blocks").get(hashKey(report.execution.finalizedHash as `0x${string}`)),
      );
      ok(hash !== undefined, "the other node has the block whose state this one holds");

      const bytes = readFileSync(join(files, name));
      bytes[100] = (bytes[100] ?? 0) ^ 1;
      writeFileSync(join(files, name), bytes);
      await rejects(fill(), (error: unknown) => {
        const { exitCode, message } = describeStartFailure(error);
        equal(exitCode, 3);
        match(message, /is not the file that checksums\.txt lists/);
        return true;
      });
    }));
});
