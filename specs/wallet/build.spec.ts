/** `jurat-wallet build`, as its user meets it. Prose: ../contracts/build.md. */
import { deepEqual, equal, match } from "node:assert/strict";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { runProgram } from "../support/program-run.ts";
import { withScratchDirectory } from "../support/scratch-directory.ts";
import { PROJECT_ROOT, readJson } from "../support/vectors.ts";

const source = (fields: string, body = "state.value") => `import { contract, storage, view } from "chain:std";
const state = storage({ ${fields} });
export default contract({ name: "Box", functions: { value: view("() returns (uint256)", () => ${body}) } });
`;

describe("jurat-wallet build", function () {
  this.timeout(60_000);

  it("builds a folder, says what is wrong where, and keeps the storage of the last build", () =>
    withScratchDirectory(async (cwd) => {
      const build = (...args: string[]) =>
        runProgram(process.execPath, [join(PROJECT_ROOT, "dist/wallet-cli/main.js"), "build", ...args], {
          cwd,
          env: { NO_COLOR: "1" },
        });
      const write = (text: string) => writeFileSync(join(cwd, "contracts/box.ts"), text);
      match((await build()).stderr, /contracts does not exist.*jurat-wallet init/);
      mkdirSync(join(cwd, "contracts"));
      match((await build()).stderr, /no file in contracts has "export default contract/);

      write(source('value: "uint256"', '"text"'));
      const wrong = await build();
      equal(wrong.code, 1);
      match(wrong.stderr, /^contracts\/box\.ts:3:\d+: error TS\d+: /m);
      equal(existsSync(join(cwd, "artifacts")), false, "nothing is written of what does not build");

      write(source('value: "uint256"'));
      const first = await build("--json");
      equal(first.code, 0, first.stderr);
      const [box] = JSON.parse(first.stdout);
      deepEqual([box.contractName, box.written], ["Box", ["artifacts/Box.json", "artifacts/Box.abi.ts"]]);
      equal(readJson<{ contractName: string }>(join(cwd, "artifacts/Box.json")).contractName, "Box");
      match(readFileSync(join(cwd, "artifacts/Box.abi.ts"), "utf8"), /export const boxAbi = /);

      write(source('owner: "address", value: "uint256"'));
      const moved = await build("--no-type-check");
      equal(moved.code, 1);
      match(
        moved.stderr,
        /laid out otherwise than in artifacts\/Box\.json:\nvalue was in slot 0 and is in slot 1: /,
      );
      match(moved.stderr, /--allow-layout-change/);
      equal((await build("--no-type-check", "--allow-layout-change")).code, 0);
      writeFileSync(join(cwd, "old.json"), JSON.stringify(box));
      match(
        (await build("--no-type-check", "--against", "old.json")).stderr,
        /old\.json is no artifact with a storageLayout/,
      );
    }));
});
