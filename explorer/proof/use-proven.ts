/** A value the node reports, and what the proof says of it. */
import { LightError } from "../../light/light-error.ts";
import type { ProvenHeader } from "../../light/verified/proven-block.ts";
import type { Verifier } from "../../light/verified/verified-methods.ts";
import { type Loaded, useLoaded } from "../load.ts";
import type { MarkState } from "./mark.tsx";
import { currentVerifier, proof } from "./proof-state.ts";

export type Marked<T> = {
  readonly value: T;
  readonly mark: MarkState;
  /** For the reader who asks why. */
  readonly why: string;
};

export type ProvenBy<T> = {
  /** From proofs. @throws LightError */
  prove(verifier: Verifier, final: ProvenHeader): Promise<T>;
  /** The node's word for the same; of the same block, or of the newest when nothing is proven. */
  report(final: ProvenHeader | undefined): Promise<T>;
  isEqual(proven: T, reported: T): boolean;
};

/** Asked again whenever `key` or the proven block changes. */
export function useProven<T>(key: string, by: ProvenBy<T>): Loaded<Marked<T>> {
  const final = proof.value.state === "following" ? proof.value.final : undefined;
  return useLoaded(`${key} ${final?.hash ?? ""}`, () => markValue(currentVerifier(), final, by));
}

export async function markValue<T>(
  verifier: Verifier | undefined,
  final: ProvenHeader | undefined,
  { prove, report, isEqual }: ProvenBy<T>,
): Promise<Marked<T>> {
  const reported = await report(final);
  if (verifier === undefined || final === undefined) {
    return { value: reported, mark: "reported", why: "nothing was proven" };
  }
  const at = `as of final block ${final.header.number}`;
  try {
    const proven = await prove(verifier, final);
    if (isEqual(proven, reported)) return { value: proven, mark: "verified", why: `proven ${at}` };
    return { value: reported, mark: "lie", why: `the proof ${at} says something else` };
  } catch (error) {
    if (!(error instanceof LightError)) throw error;
    return { value: reported, mark: "lie", why: `${error.detail.code} ${at}` };
  }
}
