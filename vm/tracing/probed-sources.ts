/** Sources with probes, and the one run that hears them now. See specs/vm/tracing.md#jstracer. */
import { type Hash, utf8ToBytes } from "../../primitives/bytes.ts";
import { assert } from "../../primitives/errors.ts";
import { keccak256Hex } from "../../primitives/hash.ts";
import type { Probes, Spare } from "../contract/probes.ts";
import { type Instrumented, instrument, type ProbeSite } from "./instrument.ts";
import type { LineRecorder } from "./line-recorder.ts";
import type { SourcePlace } from "./trace.ts";

/** When there are more sites, everything is begun anew: 100 MB at most. */
export const SITES_LIMIT = 500_000;

export class ProbedSources implements Probes {
  recorder: LineRecorder | undefined;
  readonly #sites: ProbeSite[] = [];
  /** Of each site: the hash of the source it is in. */
  readonly #sourceOfSite: Hash[] = [];
  readonly #sources = new Map<Hash, { readonly plain: string; readonly probed: string }>();

  get isFull(): boolean {
    return this.#sites.length > SITES_LIMIT;
  }

  get spare(): Spare {
    return this.recorder?.spare ?? 0;
  }

  onProbe(operation: number, site: number, ticksLeft: number): number {
    return this.recorder?.onProbe(operation, site, ticksLeft) ?? 0;
  }

  instrument(plain: string): string | undefined {
    const hash = keccak256Hex(utf8ToBytes(plain));
    const known = this.#sources.get(hash);
    if (known !== undefined) return known.probed;
    const instrumented = tryInstrument(plain, this.#sites.length);
    if (instrumented === undefined) return undefined;
    const { source: probed, sites } = instrumented;
    this.#sources.set(hash, { plain, probed });
    for (const site of sites) {
      this.#sites.push(site);
      this.#sourceOfSite.push(hash);
    }
    return probed;
  }

  plain(source: Hash): string {
    return this.#sources.get(source)?.plain ?? "";
  }

  placeOf(site: number): SourcePlace {
    const place = this.#sites[site];
    const source = this.#sourceOfSite[site];
    assert(place !== undefined && source !== undefined, "a probe has a site, and a site is in a source");
    return { source, line: place.line, column: place.column };
  }

  functionAt(site: number): string {
    return this.#sites[site]?.functionName ?? "";
  }
}

/** Undefined for what QuickJS may take and the parser does not, such as a nesting that is too deep for it. */
function tryInstrument(source: string, firstSite: number): Instrumented | undefined {
  try {
    return instrument(source, firstSite);
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof RangeError) return undefined;
    throw error;
  }
}
