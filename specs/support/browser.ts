/** A real browser for specs of the page: Debian's Chromium, driven by playwright-core. */
import { existsSync } from "node:fs";
import { type Browser, chromium } from "playwright-core";

const PROGRAMS = [process.env["CHROMIUM"] ?? "", "/usr/bin/chromium", "/usr/bin/chromium-browser"];

/** Where there is no Chromium the specs are pending; in CI they must run. */
export async function startBrowser(context: Mocha.Context): Promise<Browser> {
  const executablePath = PROGRAMS.find((path) => path !== "" && existsSync(path));
  if (executablePath === undefined) {
    const reason = "no Chromium: install Debian's package, or set CHROMIUM";
    if (process.env["CI"] === "true") throw new Error(reason);
    console.error(`      pending: ${reason}`);
    return context.skip();
  }
  // A container has neither a user namespace for the sandbox nor much shared memory.
  return chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-dev-shm-usage"] });
}
