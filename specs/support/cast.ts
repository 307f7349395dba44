/** Foundry's cast, for specs that prove that its files and transactions are ours and the reverse. */
import { createRequire } from "node:module";
import { join } from "node:path";

/** cast comes as an optional package for one platform; elsewhere its spec is pending, in CI it must run. */
export function castProgram(context: Mocha.Context): string {
  return findCast() ?? context.skip();
}

/** Undefined where cast is not installed. Throws there in CI. */
export function findCast(): string | undefined {
  try {
    const manifest = createRequire(import.meta.url).resolve("@foundry-rs/cast-linux-amd64/package.json");
    return join(manifest, "..", "bin", "cast");
  } catch (error) {
    if (process.env["CI"] === "true") throw error;
    return undefined;
  }
}
