/** A folder that `jurat db verify` found not to be whole. See specs/node/db.md#verify. */

/** Sentences shown; a broken folder may have millions. */
const SHOWN_FAULTS = 20;

export class DbDamage extends Error {
  override readonly name = "DbDamage";

  constructor(directory: string, faults: readonly string[]) {
    const more = faults.length > SHOWN_FAULTS ? [`and ${faults.length - SHOWN_FAULTS} more`] : [];
    const lines = [...faults.slice(0, SHOWN_FAULTS), ...more].map((fault) => `  ${fault}`);
    super([`${directory} is damaged:`, ...lines].join("\n"));
  }
}
