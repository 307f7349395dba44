/** The engine's laws on random programs, in one size or another: a few in the suite, many in the campaign. */
import { deepEqual, equal, match, ok } from "node:assert/strict";
import { toFunctionSelector } from "viem";
import { randomPrograms } from "../../../bench/gas-search.ts";
import { readEngineImage } from "../../../node/engine-image.ts";
import { readBootImage } from "../../../node/std-image.ts";
import { fromHex } from "../../../primitives/bytes.ts";
import { EngineMachine } from "../../../vm/contract/machine.ts";
import { createEngine } from "../../../vm/engine/engine.ts";
import { runMessage } from "../../../vm/execute-transaction.ts";
import type { ContractMachine } from "../../../vm/message.ts";
import { ALICE, blockEnvironment, contractSource, Sandbox } from "../../vm/contract/sandbox.ts";
import { evaluate, runBody } from "../../vm/engine/guest-programs.ts";
import { ESCAPE_WALK } from "./escape-walk.ts";

export type EngineLawSize = { readonly programs: number; readonly walks: number; readonly seed: number };

const FAILURE_LIMIT_MS = 36_000_000;
const RUN = fromHex(toFunctionSelector("function run()"));
const DEPLOYMENT_GAS = 100_000_000;
const WALK_TICKS = 60_000_000;

/** What a contract would notice of one that ran before. */
const PROBE = `[typeof process, ({}).polluted, ({}).then, [1, 2].map((x) => x + 1), Object.isFrozen(globalThis), Error.prepareStackTrace,
  Reflect.ownKeys(Object.prototype).join(), [].toString === Array.prototype.toString, (() => {}).length].join()`;

export function describeEngine({ programs, walks, seed }: EngineLawSize): void {
  describe(`engine: ${programs} random programs and ${walks} random walks, seed ${seed}`, function () {
    this.timeout(FAILURE_LIMIT_MS);

    it("end the same after any others, on an instance of their own, and in another engine", () => {
      const sandbox = new Sandbox();
      const { journal } = sandbox;
      const contracts = randomPrograms(seed, programs).map(({ body, before = "" }, i) => {
        const at = sandbox.deploy(
          contractSource(
            `functions: { run: external("()", () => { ${body} }, { reentrant: true }), get: view("() returns (uint256)", () => 1n) }`,
            before,
          ),
          undefined,
          { gas: DEPLOYMENT_GAS },
        );
        return { at, gas: 20_000 + ((i * 7919) % 300_000) };
      });
      const run = (machine: ContractMachine, { at, gas }: (typeof contracts)[number]) => {
        journal.beginTransaction();
        const checkpoint = journal.checkpoint();
        const request = { sender: ALICE, to: at, value: 0n, data: RUN, gas, gasPrice: 9n, accessList: [] };
        const { outcome, output, gasLeft } = runMessage(
          { block: blockEnvironment, journal, machine },
          request,
        );
        const ended = { outcome, output, gasLeft, logs: [...journal.logs()], refund: journal.refund() };
        journal.revertTo(checkpoint);
        return ended;
      };
      const other = createEngine({ wasm: readEngineImage(), boot: readBootImage() });
      const first = contracts.map((contract) => run(sandbox.machine, contract));
      const again = contracts.map((_, i) => run(sandbox.machine, contracts[contracts.length - 1 - i]!));
      deepEqual(again.toReversed(), first);
      contracts.forEach((contract, i) => {
        deepEqual(run(new EngineMachine(other), contract), first[i]);
      });
      ok(first.filter(({ outcome }) => outcome !== "revert").length * 2 > programs);
    });

    it("lead out of the sandbox nowhere, end the same again, and leave nothing behind", () => {
      const clean = evaluate(PROBE);
      const fromHost = () => "from the host";
      for (let walk = 0; walk < walks; walk++) {
        const start = String(seed * 7919 + walk);
        const result = runBody(ESCAPE_WALK, start, fromHost, WALK_TICKS);
        if (result.outcome === "ok") match(result.value ?? "", /^kept/, start);
        deepEqual(runBody(ESCAPE_WALK, start, fromHost, WALK_TICKS), result, start);
        equal(evaluate(PROBE), clean, start);
      }
    });
  });
}
