/** Packs the wallet into few files, part of the build: opening hundreds took most of the time a command takes. See specs/wallet/wallet.md#start. */
import { readdirSync, readFileSync, rmSync } from "node:fs";
import { dirname, join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { build, type Plugin } from "esbuild";

const FOLDER = dirname(fileURLToPath(import.meta.url));
const PIECE = /^packed-[A-Z0-9]+\.js$/;

/** Bundled packages that were made for require() get one. */
const BANNER = `import { createRequire as requireFrom } from "node:module"; const require = requireFrom(import.meta.url);`;

/** Files that find others by where they lie stay where they are: the compiler's, and the one that knows this package's folder. */
const keepInPlace: Plugin = {
  name: "keep in place",
  setup(builder) {
    builder.onResolve({ filter: /^\./ }, ({ path, resolveDir }) => {
      const file = join(resolveDir, path);
      if (!file.startsWith(dirname(FOLDER) + sep) || file.includes(`${sep}node_modules${sep}`))
        return undefined;
      const isPlaced =
        file.includes(`${sep}contracts${sep}`) || readFileSync(file, "utf8").includes("import.meta");
      const fromFolder = relative(FOLDER, file).replaceAll(sep, "/");
      return isPlaced
        ? { path: fromFolder.startsWith(".") ? fromFolder : `./${fromFolder}`, external: true }
        : undefined;
    });
  },
};

for (const name of readdirSync(FOLDER)) if (PIECE.test(name)) rmSync(join(FOLDER, name));
await build({
  entryPoints: { main: join(FOLDER, "start.js") },
  outdir: FOLDER,
  bundle: true,
  splitting: true,
  chunkNames: "packed-[hash]",
  format: "esm",
  platform: "node",
  target: "node20",
  banner: { js: BANNER },
  plugins: [keepInPlace],
  logLevel: "warning",
});
