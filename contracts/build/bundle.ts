/** One readable JavaScript module from a contract and what it imports. See specs/contracts/build.md#bundling. */
import { dirname, relative, resolve, sep } from "node:path";
import { build, type Message, type Plugin } from "esbuild";
import { readStdImage } from "../../node/std-image.ts";
import { BuildError } from "./build-error.ts";

export type Bundle = { readonly code: string; readonly sourceMap: string };

/** Only `chain:std` stays an import. @throws BuildError BUILD_BUNDLE */
export async function bundleContract(path: string): Promise<Bundle> {
  try {
    const { outputFiles } = await build({
      entryPoints: [resolve(path)],
      // Comments in the output name files relative to this, so the bytes do not depend on where a build is started.
      absWorkingDir: dirname(resolve(path)),
      outfile: "contract.js",
      write: false,
      bundle: true,
      plugins: [IMPORTED_AT_THE_TOP, STD_IMPORTED_ONCE],
      format: "esm",
      platform: "neutral",
      mainFields: ["module", "main"],
      target: "es2023",
      // Anything that is not ASCII is escaped, so nothing a reader cannot see gets into a container.
      charset: "ascii",
      legalComments: "none",
      sourcemap: "external",
      logLevel: "silent",
    });
    const textOf = (suffix: string): string =>
      outputFiles.find((file) => file.path.endsWith(suffix))?.text ?? "";
    return { code: withoutUnusedImports(textOf("contract.js")), sourceMap: textOf("contract.js.map") };
  } catch (error) {
    const errors = (error as { readonly errors?: readonly Message[] }).errors;
    if (errors === undefined) throw error;
    const problems = errors.map(({ text, location }) => ({
      file: location === null ? displayPath(path) : displayPath(resolve(dirname(path), location.file)),
      line: location?.line ?? 0,
      column: (location?.column ?? -1) + 1,
      text,
    }));
    throw new BuildError({ code: "BUILD_BUNDLE", problems }, { cause: error });
  }
}

/** esbuild would turn `import()` of a file into a promise of it, which no contract can wait for. */
const IMPORTED_AT_THE_TOP: Plugin = {
  name: "no import()",
  setup({ onResolve }) {
    onResolve({ filter: /.*/ }, ({ kind }) =>
      kind === "dynamic-import"
        ? { errors: [{ text: "import() is not supported: import at the top of the file" }] }
        : undefined,
    );
  },
};

/**
 * One import of `chain:std` for all files: with one in each, esbuild would tell them apart as `view2`, `view3`, and readers
 * of the chain would have to guess.
 */
const STD_IMPORTED_ONCE: Plugin = {
  name: "chain:std",
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^chain:std$/ }, ({ namespace }) =>
      namespace === "chain"
        ? { path: "chain:std", external: true }
        : { path: "std", namespace: "chain", sideEffects: false },
    );
    onLoad({ filter: /^std$/, namespace: "chain" }, () => ({
      contents: `export { ${exportsOf(readStdImage()).join(", ")} } from "chain:std";`,
    }));
  },
};

/** The names in the last statement of a bundle. */
function exportsOf(bundle: string): string[] {
  const list = bundle.slice(bundle.lastIndexOf("export {"));
  return [...list.matchAll(/^ +(?:\w+ as )?(\w+),?$/gm)].map(([, name = ""]) => name);
}

/** The import names everything there is; what is not used again goes. The line stays, so that the source map holds. */
function withoutUnusedImports(code: string): string {
  return code.replace(/^import \{ (.*) \} from "chain:std";$/m, (statement, list: string) => {
    const rest = code.replace(statement, "");
    const used = list.split(", ").filter((item) => {
      const [name = "", local = name] = item.split(" as ");
      return new RegExp(`\\b${local}\\b`).test(rest);
    });
    return `import { ${used.join(", ")} } from "chain:std";`;
  });
}

/** Relative to the working directory when it is inside, with forward slashes. */
export function displayPath(path: string): string {
  const fromHere = relative(process.cwd(), path);
  return (fromHere.startsWith("..") ? path : fromHere).split(sep).join("/");
}
