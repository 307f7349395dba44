/** `jurat db` without effect, for specs that look at the program's flags only. */
import type { DbActions } from "../../node/db/db-config.ts";

const nothing = async () => undefined;
export const DB_NOTHING: DbActions = {
  inspect: nothing,
  verify: nothing,
  prune: nothing,
  export: nothing,
  import: nothing,
};
