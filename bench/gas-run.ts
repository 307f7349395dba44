/** Runs a program until its gas is spent, and says what time a gas took. See specs/vm/gas.md#calibration. */
import { toFunctionSelector } from "viem";
import { fromHex } from "../primitives/bytes.ts";
import { type CallResult, contractSource, Sandbox } from "../specs/vm/contract/sandbox.ts";
import type { GasProgram } from "./gas-programs.ts";

/** What half of a one-second slot leaves for each of 30 million gas. */
export const NANOSECONDS_PER_GAS = 0.5e9 / 30e6;

const RUN = fromHex(toFunctionSelector("function run()"));

export type GasTime = {
  readonly nanosecondsPerGas: number;
  readonly ticks: number;
  readonly seconds: number;
  readonly result: CallResult;
};

/** Deploys a program, whose contract has the functions `run`, `get` and `spin`. */
export function prepare({ body, before = "" }: GasProgram): (gas: number) => GasTime {
  const sandbox = new Sandbox();
  const source = contractSource(
    `functions: {
      run: external("()", () => { ${body} }, { reentrant: true }),
      get: view("() returns (uint256)", () => 1n),
      spin: external("()", () => { for (;;); }, { reentrant: true }),
    }`,
    before,
  );
  const at = sandbox.deploy(source, undefined, { gas: 100_000_000 });
  return (gas) => {
    // Each run begins with the same state.
    const checkpoint = sandbox.journal.checkpoint();
    const start = performance.now();
    const result = sandbox.send(at, RUN, { gas });
    const seconds = (performance.now() - start) / 1000;
    sandbox.journal.revertTo(checkpoint);
    return { nanosecondsPerGas: (seconds * 1e9) / result.gasUsed, ticks: result.gasUsed, seconds, result };
  };
}

const WARM_UP_RUNS = 4;

/** The least of many short runs: other processes only ever slow one down, and few runs lose their core to one. */
export function timeProgram(program: GasProgram, gas: number, runs: number): GasTime {
  const run = prepare(program);
  for (let i = 0; i < WARM_UP_RUNS; i++) run(gas);
  const times = Array.from({ length: runs }, () => run(gas));
  return times.reduce((best, time) => (time.seconds < best.seconds ? time : best));
}
