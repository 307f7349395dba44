/** A contract's source with line numbers, and beside a line what the caller knows of it. */
import { useMemo } from "preact/hooks";
import { highlight } from "./highlight.ts";

type SourceProps = {
  readonly source: string;
  /** By line, from 1. */
  readonly gasByLine?: ReadonlyMap<number, number>;
  readonly lineClass?: (line: number) => string;
};

export function SourceView({ source, gasByLine, lineClass }: SourceProps) {
  const lines = useMemo(() => highlight(source), [source]);
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a box that scrolls must be reachable by keyboard.
    <pre class="source" tabIndex={0}>
      {lines.map((pieces, index) => {
        const line = index + 1;
        const gas = gasByLine?.get(line);
        return (
          <span key={line} class={`line ${lineClass?.(line) ?? ""}`} data-line={line}>
            {gas !== undefined && <span class="gas">{gas}</span>}
            {pieces.map(({ text, kind }, place) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: pieces of a line are told apart by their place.
              <span key={place} class={kind === "plain" ? undefined : `token-${kind}`}>
                {text}
              </span>
            ))}
            {"\n"}
          </span>
        );
      })}
    </pre>
  );
}
