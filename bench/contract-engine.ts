/** How fast the contract engine is: to build, to start, to restore, to call, and to be called. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { readEngineImage } from "../node/engine-image.ts";
import { createEngine } from "../vm/engine/engine.ts";
import type { Host } from "../vm/engine/host.ts";
import { meter } from "../vm/engine/meter.ts";
import { medianSeconds } from "./median.ts";

const STD = `
  const { host: callHost } = engine;
  let contract;
  engine.entries.define = (value) => { contract = value; };
  engine.entries.call = (argument) => contract(argument);
  export const host = callHost;
`;
const TICKS = 1_000_000_000;
const REPEATS = 2000;

/** Seconds to rewrite the published binary, once in the life of a build. */
export function meterBinary(): number {
  const source = readFileSync(fileURLToPath(import.meta.resolve("@jitl/quickjs-wasmfile-release-sync/wasm")));
  return medianSeconds(() => meter(source));
}

/** Seconds from the image on disk to an engine that can run contracts. */
export function startEngine(): number {
  return medianSeconds(() => createEngine({ wasm: readEngineImage(), std: STD }));
}

/** Seconds to restore an instance, and to restore it and call an empty contract. */
export function restoreAndCall(): { readonly restore: number; readonly call: number } {
  const { restore, call } = contractOf("export default () => undefined");
  return {
    restore: medianSeconds(() => repeat(restore)) / REPEATS,
    call: medianSeconds(() => repeat(() => call(() => undefined))) / REPEATS,
  };
}

/** Seconds per host call: without arguments, and with 64 characters there and back. */
export function callHost(): { readonly empty: number; readonly text: number } {
  const perCall = (values: string, host: Host): number => {
    const { call } = contractOf(
      `import { host } from "chain:std"; export default (count) => { for (let i = 0; i < Number(count); i++) host(${values}) }`,
    );
    const run = (count: number): number => medianSeconds(() => call(host, String(count)));
    return (run(20_000) - run(0)) / 20_000;
  };
  return {
    empty: perCall("1", () => undefined),
    text: perCall(`1, "${"x".repeat(64)}"`, (_operation, args) => args.text(0)),
  };
}

function contractOf(source: string): {
  restore: () => void;
  call: (host: Host, argument?: string) => void;
} {
  const engine = createEngine({ wasm: readEngineImage(), std: STD });
  const instance = engine.createInstance();
  instance.evaluateModule(source, TICKS, () => undefined);
  const snapshot = instance.takeSnapshot();
  return {
    restore: () => instance.restore(snapshot),
    call: (host, argument) => {
      instance.restore(snapshot);
      const { outcome } = instance.call("call", argument, TICKS, host);
      if (outcome !== "ok") throw new Error(`the benchmark's contract ended with ${outcome}`);
    },
  };
}

function repeat(work: () => void): void {
  for (let i = 0; i < REPEATS; i++) work();
}
