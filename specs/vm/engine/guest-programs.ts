/** A small chain:std for specs, and one call to run a program in a fresh contract. specs/vm/engine/engine.md */
import { readEngineImage } from "../../../node/engine-image.ts";
import { createEngine, type Engine } from "../../../vm/engine/engine.ts";
import type { Host, RunResult } from "../../../vm/engine/host.ts";
import type { EngineInstance } from "../../../vm/engine/instance.ts";

/** The default export is the contract: a function from the argument to a text. */
export const SPEC_STD = `
  const { host: callHost } = engine;
  let contract;
  engine.entries.define = (value) => { contract = value; };
  engine.entries.call = (argument) => { const result = contract(argument); return result === undefined ? undefined : String(result); };
  export const host = (...values) => callHost(...values);
`;

export const noHost: Host = () => undefined;

export const EVALUATION_TICKS = 200_000_000;
export const CALL_TICKS = 400_000_000;

let engine: Engine | undefined;
let instance: EngineInstance | undefined;

/** One engine for all specs of the process: compiling takes longer than most of them. */
export function specEngine(): Engine {
  engine ??= createEngine({ wasm: readEngineImage(), std: SPEC_STD });
  return engine;
}

/** Evaluates `source`, a module whose default export is a function, and calls it. */
export function runModule(source: string, argument?: string, host = noHost, ticks = CALL_TICKS): RunResult {
  instance ??= specEngine().createInstance();
  instance.restore(specEngine().base);
  const defined = instance.evaluateModule(
    `import { host } from "chain:std"; ${source}`,
    EVALUATION_TICKS,
    host,
  );
  return defined.outcome === "ok" ? instance.call("call", argument, ticks, host) : defined;
}

/** Runs `statements` as the body of the contract's function, whose parameter is `argument`. */
export function runBody(statements: string, argument?: string, host = noHost, ticks = CALL_TICKS): RunResult {
  return runModule(`export default (argument) => { ${statements} };`, argument, host, ticks);
}

/** The text `expression` evaluates to. */
export function evaluate(expression: string, argument?: string): string | undefined {
  const result = runBody(`return ${expression};`, argument);
  if (result.outcome !== "ok") throw new Error(`${expression}: ${JSON.stringify(result)}`);
  return result.value;
}
