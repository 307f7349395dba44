/** What the first call of a contract in a transaction costs, and its deployment with it. specs/vm/contract/machine.md#loading */
import { deepEqual, equal, ok } from "node:assert/strict";
import { encodeFunctionData, parseAbi, toFunctionSelector } from "viem";
import { concatBytes, fromHex, type Hash } from "../../../primitives/bytes.ts";
import { decodeContainer } from "../../../vm/contract/container.ts";
import { evaluateContract } from "../../../vm/contract/evaluate-contract.ts";
import { COLD_CODE_GAS, coldCodeGas, RESTORED_PAGE_GAS } from "../../../vm/contract/host-gas.ts";
import type { LoadSize } from "../../../vm/contract/stored-contract.ts";
import { GAS } from "../../../vm/gas.ts";
import { createJournal } from "../../../vm/state/journal.ts";
import { MemoryStore } from "./memory-store.ts";
import { containerOf, contractSource, encodeArgs, Sandbox, sharedEngine } from "./sandbox.ts";

const GET = fromHex(encodeFunctionData({ abi: parseAbi(["function get() view returns (uint256)"]) }));

describe("machine: loading code", () => {
  const callee = contractSource('functions: { get: view("() returns (uint256)", () => 1n) }');
  /** Says what two calls in one transaction took. */
  const caller = contractSource(
    `functions: { run: external("(address to, bytes data) returns (uint256, uint256)", (to, data) => {
       const a = gasleft(); tryCall(to, data, { gas: 30000n }); const b = gasleft();
       tryCall(to, data, { gas: 30000n }); return [a - b, b - gasleft()]; }) }`,
  );
  const runWith = (...values: unknown[]) =>
    concatBytes(
      fromHex(toFunctionSelector("function run(address to, bytes data)")),
      encodeArgs("address, bytes", ...values),
    );
  const loadedOf = (source: string) => {
    const engine = sharedEngine();
    const { container } = decodeContainer(containerOf(source));
    const evaluation = evaluateContract(engine, engine.createInstance(), container, 1e9);
    return evaluation.outcome === "success" ? evaluation.contract : failTest(evaluation.outcome);
  };
  const failTest = (outcome: string): never => {
    throw new Error(outcome);
  };

  it("is paid by the frame that calls, once in a transaction, also when the call fails", () => {
    const sandbox = new Sandbox();
    const [from, to] = [sandbox.deploy(caller), sandbox.deploy(callee)];
    for (const data of ["0x6d4ce63c", "0xdeadbeef"]) {
      const { output } = sandbox.send(from, runWith(to, data));
      const [first, second] = [BigInt(output.slice(0, 66)), BigInt(`0x${output.slice(66)}`)];
      const price = GAS.coldAccount - GAS.warmAccess + coldCodeGas(loadedOf(callee));
      // The caller's own code is a little slower the second time.
      ok(Math.abs(Number(first - second) - price) < 50, `${first} and ${second} for ${price}`);
    }
  });

  it("is in the price of a transaction for the code it calls, up to 22 000 gas", () => {
    const used = (source: string) => {
      const sandbox = new Sandbox();
      return sandbox.send(sandbox.deploy(source, undefined, { gas: 90_000_000 }), GET).gasUsed;
    };
    const filled = (bytes: number) =>
      callee.replace("export default", `const kept = new Uint8Array(${bytes}).fill(7); export default`);
    const [small, large] = [loadedOf(callee), loadedOf(filled(300_000))];
    ok(coldCodeGas(small) < COLD_CODE_GAS.ofTransaction);
    const restored = RESTORED_PAGE_GAS * (large.pageCount - small.pageCount);
    const loaded = coldCodeGas(large) - COLD_CODE_GAS.ofTransaction;
    const difference = used(filled(300_000)) - used(callee) - restored - loaded;
    ok(Math.abs(difference) <= 1, String(difference));
  });

  it("ends the frame that cannot pay, the same in memory, on disk and nowhere; the disk shows no more than the size", () => {
    const whole: boolean[] = [];
    const store = new MemoryStore();
    const watched = {
      put: (codeHash: Hash, bytes: Uint8Array) => store.put(codeHash, bytes),
      get: (codeHash: Hash, isWanted: (head: Uint8Array) => boolean) => {
        const bytes = store.get(codeHash, isWanted);
        whole.push(bytes !== undefined);
        return bytes;
      },
    };
    const limits = Array.from({ length: 24 }, (_, n) => 3_000 + 750 * n);
    const reads = new Set<string>();
    const results = [{}, { cacheBytes: 0 }, { cacheBytes: 0, store: watched }].map((options) => {
      const sandbox = new Sandbox(options);
      const [to, from] = [sandbox.deploy(callee), sandbox.deploy(caller)];
      return limits.map((gas) => {
        whole.length = 0;
        const result = sandbox.send(from, runWith(to, "0x6d4ce63c"), { gas });
        reads.add(whole.join());
        return result;
      });
    });
    deepEqual(results[1], results[0]);
    deepEqual(results[2], results[0]);
    deepEqual(new Set(results[0]?.map(({ outcome }) => outcome)), new Set(["out of gas"]));
    // Some could pay for nothing, some for the sight of the callee's size only, some for all of it.
    const ends = [...reads].map((read) => read.split(",").at(-1));
    deepEqual(new Set(ends), new Set(["", "false", "true"]));
  });

  it("keeps at most 64 codes warm: all others are paid for each time", () => {
    const journal = createJournal({ account: () => undefined, storage: () => 0n, code: () => undefined });
    const codes = Array.from({ length: 65 }, (_, n) => `0x${n.toString(16).padStart(64, "0")}` as Hash);
    const touch = () => codes.map((code) => journal.touchCode(code)).filter((isWarm) => isWarm).length;
    deepEqual([touch(), touch(), touch()], [0, 64, 64]);
    journal.beginTransaction();
    const checkpoint = journal.checkpoint();
    deepEqual([touch(), touch()], [0, 64]);
    journal.revertTo(checkpoint);
    equal(touch(), 0);
  });

  it("is foreseen by the deployment: 5 gas at least for each byte that nodes keep of the contract", () => {
    const deployGas = (source: string) => {
      const { gasUsed, outcome } = new Sandbox().tryDeploy(source, undefined, { gas: 20_000_000 });
      return [outcome, gasUsed] as const;
    };
    const bytesOf = ({ deltaBytes, definitionBytes }: LoadSize) => deltaBytes + definitionBytes;
    const large = callee.replace(
      "export default",
      "const kept = new Uint8Array(300000).fill(7); export default",
    );
    deepEqual(deployGas(large), ["success", 5 * bytesOf(loadedOf(large))]);
    ok(deployGas(callee)[1] > 5 * bytesOf(loadedOf(callee)), "the code and its evaluation cost more");
    const short = new Sandbox().tryDeploy(large, undefined, { gas: 5 * bytesOf(loadedOf(large)) - 1 });
    deepEqual([short.outcome, short.address], ["out of gas", undefined]);
  });
});
