/** The engine that runs contracts with probes: the same binary, with one more export of `chain:std`. See specs/vm/tracing.md#jstracer. */
import { assert } from "../../primitives/errors.ts";
import { createEngine, type Engine } from "../engine/engine.ts";
import type { ProbeTicks } from "../tracing/line-recorder.ts";
import { PROBE, PROBE_EXPORT, withProbeExport } from "./probes.ts";

export type DebugEngine = { readonly engine: Engine; readonly probeTicks: ProbeTicks };

/** Rounds of the loops that are compared; enough for what is outside of them not to count. */
const ROUNDS = 2_000;
const TICKS = 1_000_000_000;

/** @param std source of `chain:std`. A tenth of a second. */
export function openDebugEngine(wasm: Uint8Array, std: string): DebugEngine {
  const engine = createEngine({ wasm, std: withProbeExport(std) });
  return { engine, probeTicks: measureProbes(engine) };
}

/** What each kind of probe takes, by programs that differ in nothing else. */
function measureProbes(engine: Engine): ProbeTicks {
  const call = (operation: number) => `p(${operation}, 0);`;
  const base = ticksOf(engine, "");
  const statement = (ticksOf(engine, call(PROBE.statement)) - base) / ROUNDS;
  const plain = ticksOf(engine, "f();", "const f = () => { return 1n; };");
  const probed = ticksOf(
    engine,
    "f();",
    `const f = () => { ${call(PROBE.enter)} try { return 1n; } catch (e) { ${call(PROBE.thrown)} throw e; } finally { ${call(PROBE.leave)} } };`,
  );
  const pair = (probed - plain) / ROUNDS;
  const rest = Math.floor(pair - statement);
  const whole = Math.floor(statement);
  return { statement: whole, enter: whole, leave: rest, thrown: whole };
}

function ticksOf(engine: Engine, body: string, before = ""): number {
  const source = `import { ${PROBE_EXPORT} as p } from "chain:std"; ${before} for (let i = 0; i < ${ROUNDS}; i++) { ${body} }`;
  // It exports no contract, and is refused when it has run.
  const result = engine.createInstance().evaluateModule(source, TICKS, () => undefined);
  assert(result.outcome === "exception", "a program of probes runs to its end");
  return result.ticksUsed;
}
