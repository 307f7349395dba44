/** `npm run reference`: writes specs/flags.md. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { renderFlagReference } from "./flag-reference.ts";
import { PROJECT_ROOT } from "./vectors.ts";

writeFileSync(join(PROJECT_ROOT, "specs/flags.md"), renderFlagReference());
