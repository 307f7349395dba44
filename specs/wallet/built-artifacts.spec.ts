/** specs/wallet/wallet.md#calls */
import { deepEqual, equal } from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseAbi } from "viem";
import { builtAbis, builtErrorsAndEvents } from "../../wallet-cli/built-artifacts.ts";
import { withScratchDirectory } from "../support/scratch-directory.ts";

describe("wallet: what was built here", () => {
  it("tells errors and events, and passes over what is no artifact", () =>
    withScratchDirectory(async (dir) => {
      const abi = parseAbi([
        "function f()",
        "error NotOwner(address caller)",
        "event Counted(uint256 count)",
      ]);
      mkdirSync(join(dir, "contracts/Counter.ts"), { recursive: true });
      const folder = join(dir, "contracts/Counter.ts");
      writeFileSync(join(folder, "Counter.json"), JSON.stringify({ contractName: "Counter", abi }));
      writeFileSync(join(folder, "Counter.dbg.json"), JSON.stringify({ buildInfo: "../x.json" }));
      writeFileSync(join(dir, "cut-off.json"), '{"abi":[{');
      equal((await builtAbis(dir)).length, 1);
      deepEqual(await builtErrorsAndEvents(dir), abi.slice(1));
      deepEqual(await builtErrorsAndEvents(join(dir, "missing")), []);
    }));
});
