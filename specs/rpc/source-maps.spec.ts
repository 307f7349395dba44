/** From deployed JavaScript to the author's lines. Prose: tracing.md#source-maps. */
import { deepEqual, equal, throws } from "node:assert/strict";
import { join } from "node:path";
import { type Artifact, writeArtifact } from "../../contracts/build/artifact.ts";
import { artifactFolder } from "../../contracts/build/artifact-folder.ts";
import { buildContract } from "../../contracts/build/build-contract.ts";
import { fromHex, utf8ToBytes } from "../../primitives/bytes.ts";
import { keccak256Hex } from "../../primitives/hash.ts";
import { SourceMaps } from "../../rpc/source-maps.ts";
import { decodeContainer, unpackSource } from "../../vm/contract/container.ts";
import { withScratchDirectory } from "../support/scratch-directory.ts";
import { PROJECT_ROOT } from "../support/vectors.ts";

describe("source maps", function () {
  this.timeout(30_000);
  let artifact: Artifact;
  let source: string;
  before(async () => {
    artifact = await buildContract(join(PROJECT_ROOT, "contracts/examples/token.ts"), { typeCheck: false });
    source = unpackSource(decodeContainer(fromHex(artifact.bytecode)).container);
  });
  const LINE = "token.balances.add(to, value);";
  const deployed = () => {
    const lines = source.split("\n");
    const line = lines.findIndex((text) => text.trim() === LINE) + 1;
    return { source: keccak256Hex(utf8ToBytes(source)), line, column: 2 };
  };
  const authors = (line: number) => ({ file: "contracts/library/erc20.ts", line, column: 3, text: LINE });

  it("name the author's file and line, and without one those of the deployed source", () => {
    const none = new SourceMaps().show(deployed(), source);
    deepEqual(none, { ...none, line: deployed().line, column: 3, text: LINE });
    equal(none.file, `${deployed().source.slice(0, 10)}.js`);
    const maps = new SourceMaps();
    maps.add(artifact);
    const shown = maps.show(deployed(), source);
    deepEqual(shown, authors(shown.line));
    deepEqual(maps.showAgain({ ...none, gas: 5 }), { ...shown, gas: 5 }, "by whoever has the artifact");
    deepEqual(maps.showAgain(shown), shown);
    deepEqual(new SourceMaps().showAgain(none), none);
    throws(() => maps.add({ ...artifact, bytecode: "0x00" }));
  });

  it("come from a folder of artifacts, also those that are built later", () =>
    withScratchDirectory(async (directory) => {
      const maps = new SourceMaps(artifactFolder(join(directory, "artifacts")));
      equal(maps.show(deployed(), source).file.endsWith(".js"), true);
      writeArtifact(artifact, join(directory, "artifacts"));
      const shown = maps.show(deployed(), source);
      deepEqual(shown, authors(shown.line));
    }));
});
