/** A broken invariant, by its number. See specs/simulation/invariants.md. */

export class Violation extends Error {
  readonly invariant: number;

  constructor(invariant: number, message: string) {
    super(`invariant ${invariant}: ${message}`);
    this.name = "Violation";
    this.invariant = invariant;
  }
}

/** @throws Violation unless `condition` holds. */
export function must(condition: boolean, invariant: number, message: string): asserts condition {
  if (!condition) throw new Violation(invariant, message);
}

/** The number of the invariant that an error breaks; 0 for an error that is none of them. */
export function invariantOf(error: unknown): number {
  return error instanceof Violation ? error.invariant : 0;
}
