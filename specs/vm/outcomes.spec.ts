/** Spec of vm/outcome-text.ts: the tables of outcomes.md are what the code says. */
import { deepEqual } from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { INVALID_TRANSACTION_TEXT, OUTCOME_TEXT } from "../../vm/outcome-text.ts";
import { PROJECT_ROOT } from "../support/vectors.ts";

describe("outcomes", () => {
  it("has for every outcome and refusal the text the page gives", () => {
    const page = readFileSync(join(PROJECT_ROOT, "specs", "vm", "outcomes.md"), "utf8");
    const rows = [...page.matchAll(/^\| `([^`]+)` \| `([^`]+)`/gm)].map(
      ([, name, text]) => [name, text] as const,
    );
    deepEqual(Object.fromEntries(rows), { ...OUTCOME_TEXT, ...INVALID_TRANSACTION_TEXT });
  });
});
