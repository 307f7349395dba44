/** Where a transaction's gas went: the source of the called contract with the gas of each line beside it. */
import { Card, Waiting } from "../card.tsx";
import type { KnownContract } from "../contract/known-contracts.ts";
import { SourceView } from "../contract/source-view.tsx";
import { formatCount } from "../display.ts";
import { useLoaded } from "../load.ts";
import { ask } from "../node/json-rpc.ts";
import type { Hex } from "../node/objects.ts";

type LineJson = {
  readonly file: string;
  readonly line: number;
  readonly text: string;
  readonly gas: number;
  readonly hits: number;
};
type LinesJson = { readonly lines: readonly LineJson[]; readonly otherGas: number };

export function GasByLine({ hash, contract }: { readonly hash: Hex; readonly contract: KnownContract }) {
  const loaded = useLoaded(hash, () =>
    ask<LinesJson>("debug_traceTransaction", hash, { tracer: "jsTracer" }),
  );
  return (
    <Card title="Gas by line">
      <Waiting on={loaded}>{(trace) => <Lines trace={trace} contract={contract} />}</Waiting>
    </Card>
  );
}

function Lines({
  trace: { lines, otherGas },
  contract,
}: {
  readonly trace: LinesJson;
  readonly contract: KnownContract;
}) {
  const code = contract.implementation ?? contract;
  const own = linesOf(code.source, lines);
  const elsewhere = lines.filter((line) => !own.has(line));
  const gasByLine = new Map<number, number>();
  for (const { line, gas } of own) gasByLine.set(line, (gasByLine.get(line) ?? 0) + gas);
  return (
    <>
      {gasByLine.size > 0 && (
        <details open data-gas-lines={gasByLine.size}>
          <summary>{code.name}</summary>
          <SourceView source={code.source} gasByLine={gasByLine} />
        </details>
      )}
      {elsewhere.length > 0 && <OtherLines lines={elsewhere} />}
      <p class="quiet">
        {formatCount(otherGas)} gas outside of contract lines: the transaction itself, frames, deployed code.
      </p>
    </>
  );
}

/** A node that knows the artifact tells lines of the author's files; those stand in a table of their own. */
function linesOf(source: string, lines: readonly LineJson[]): ReadonlySet<LineJson> {
  const text = source.split("\n").map((line) => line.trim());
  return new Set(lines.filter((line) => text[line.line - 1] === line.text.trim()));
}

function OtherLines({ lines }: { readonly lines: readonly LineJson[] }) {
  return (
    <div class="scroll">
      <table>
        <thead>
          <tr>
            <th scope="col">line</th>
            <th scope="col">text</th>
            <th scope="col" class="number">
              times
            </th>
            <th scope="col" class="number">
              gas
            </th>
          </tr>
        </thead>
        <tbody>
          {[...lines]
            .sort((a, b) => b.gas - a.gas)
            .map(({ file, line, text, hits, gas }) => (
              <tr key={`${file} ${line} ${text}`}>
                <td class="mono">
                  {file}:{line}
                </td>
                <td class="mono">{text.trim()}</td>
                <td class="number">{hits}</td>
                <td class="number">{formatCount(gas)}</td>
              </tr>
            ))}
        </tbody>
      </table>
    </div>
  );
}
