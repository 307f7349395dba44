/** From places in what a container holds to places in what its author wrote. See specs/rpc/tracing.md#source-maps. */
import { originalPositionFor, sourceContentFor, TraceMap } from "@jridgewell/trace-mapping";
import { fromHex, type Hash, utf8ToBytes } from "../primitives/bytes.ts";
import { keccak256Hex } from "../primitives/hash.ts";
import { decodeContainer, unpackSource } from "../vm/contract/container.ts";
import type { SourcePlace } from "../vm/tracing/trace.ts";

/** Maps kept; the oldest are forgotten. */
export const SOURCE_MAPS_LIMIT = 256;

/** What of an artifact is needed. */
export type MappedArtifact = {
  readonly bytecode: string;
  /** Version 3, from the JavaScript in the container. */
  readonly sourceMap: string;
  /** Path of the contract's module; the map's sources are relative to its folder. */
  readonly sourceName: string;
};

/** A line that a person can open. Lines and columns count from 1. */
export type ShownPlace = {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  /** The line itself, without what surrounds it. */
  readonly text: string;
};

type Entry = { readonly map: TraceMap; readonly folder: string };

export class SourceMaps {
  readonly #entries = new Map<Hash, Entry>();
  readonly #findMore: () => readonly MappedArtifact[];

  /** @param findMore is asked when a source is unknown, for artifacts that have come since it was asked last. */
  constructor(findMore: () => readonly MappedArtifact[] = () => []) {
    this.#findMore = findMore;
  }

  /** @throws ContainerError, BytesError, SyntaxError when it is no artifact with a source map. */
  add({ bytecode, sourceMap, sourceName }: MappedArtifact): void {
    const source = unpackSource(decodeContainer(fromHex(bytecode)).container);
    const hash = keccak256Hex(utf8ToBytes(source));
    const folder = sourceName.includes("/") ? sourceName.slice(0, sourceName.lastIndexOf("/") + 1) : "";
    this.#entries.delete(hash);
    this.#entries.set(hash, { map: new TraceMap(sourceMap), folder });
    const oldest = this.#entries.keys().next().value;
    if (this.#entries.size > SOURCE_MAPS_LIMIT && oldest !== undefined) this.#entries.delete(oldest);
  }

  /** Where it stands in TypeScript, or in the container's own `text` when there is no map. */
  show({ source, line, column }: SourcePlace, text: string | undefined): ShownPlace {
    const entry = this.#find(source);
    const original = entry === undefined ? undefined : originalPositionFor(entry.map, { line, column });
    if (entry === undefined || original?.source == null) {
      return { file: sourceFile(source), line, column: column + 1, text: lineOf(text, line) };
    }
    const content = sourceContentFor(entry.map, original.source);
    return {
      file: joined(entry.folder, original.source),
      line: original.line,
      column: original.column + 1,
      text: lineOf(content ?? undefined, original.line),
    };
  }

  /** The same for a place that a node without the map has shown: its file is named by the source's hash. */
  showAgain<T extends ShownPlace>(place: T): T {
    const [, prefix] = SOURCE_FILE.exec(place.file) ?? [];
    if (prefix === undefined) return place;
    const isMeant = (hash: Hash) => hash.startsWith(prefix);
    if (![...this.#entries.keys()].some(isMeant)) this.#loadMore();
    const source = [...this.#entries.keys()].find(isMeant);
    if (source === undefined) return place;
    return { ...place, ...this.show({ source, line: place.line, column: place.column - 1 }, undefined) };
  }

  #find(source: Hash): Entry | undefined {
    if (!this.#entries.has(source)) this.#loadMore();
    return this.#entries.get(source);
  }

  #loadMore(): void {
    for (const artifact of this.#findMore()) {
      try {
        this.add(artifact);
      } catch {
        // A file that is no artifact of this kind: there is nothing to learn from it.
      }
    }
  }
}

function sourceFile(source: Hash): string {
  return `${source.slice(0, 10)}.js`;
}

const SOURCE_FILE = /^(0x[0-9a-f]{8})\.js$/;

/** `a/b/` and `../c.ts` are `a/c.ts`. */
function joined(folder: string, relative: string): string {
  const parts = folder.split("/").filter((part) => part !== "");
  for (const part of relative.split("/")) {
    if (part === "..") {
      if (parts.length === 0 || parts.at(-1) === "..") parts.push(part);
      else parts.pop();
    } else if (part !== ".") parts.push(part);
  }
  return (folder.startsWith("/") ? "/" : "") + parts.join("/");
}

const LINE_LIMIT = 200;

function lineOf(text: string | undefined, line: number): string {
  return (text?.split("\n")[line - 1] ?? "").trim().slice(0, LINE_LIMIT);
}
