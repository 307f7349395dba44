import { deepEqual, equal, ok } from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { CommanderError } from "commander";
import type { NodeConfig } from "../../node/config.ts";
import { nearestName } from "../../node/nearest-name.ts";
import { createProgram } from "../../node/program.ts";
import type { Environment } from "../../node/settings.ts";
import { DB_NOTHING } from "../support/no-db-actions.ts";
import { withScratchDirectory } from "../support/scratch-directory.ts";

const nothing = async () => undefined;
const REQUIRED = ["--dir", "d", "--chain-spec", "c"];

/** What `jurat run` would start with, or the words it is refused with. */
async function settle(args: readonly string[], environment: Environment): Promise<NodeConfig | string> {
  let started: NodeConfig | undefined;
  const words: string[] = [];
  const program = createProgram({
    environment,
    run: async (config) => {
      started = config;
    },
    dev: nothing,
    genesis: { make: nothing, check: nothing },
    saveCheckpoint: async () => undefined,
    interchange: { import: async () => undefined, export: async () => undefined },
    db: DB_NOTHING,
    signer: async () => undefined,
  });
  for (const command of program.commands) {
    command.configureOutput({ writeErr: (text) => void words.push(text), writeOut: () => undefined });
  }
  try {
    await program.parseAsync(["run", ...args], { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    return words.join("").split("\n")[0] ?? "";
  }
  ok(started !== undefined);
  return started;
}

async function settled(args: readonly string[], environment: Environment = {}): Promise<NodeConfig> {
  const config = await settle(args, environment);
  ok(typeof config !== "string", String(config));
  return config;
}

const withFile = (text: string, use: (path: string) => Promise<void>) =>
  withScratchDirectory(async (directory) => {
    const path = join(directory, "settings.yaml");
    writeFileSync(path, text);
    await use(path);
  });

describe("settings", () => {
  it("come from flags before the environment before the file before the default", () =>
    withFile("rpc-port: 1\np2p-port: 1\nmetrics-port: 1\n", async (path) => {
      const environment = { JURAT_NODE_RPC_PORT: "2", JURAT_NODE_P2P_PORT: "2", JURAT_NODE_CONFIG: path };
      const config = await settled([...REQUIRED, "--rpc-port", "3"], environment);
      deepEqual([config.rpcPort, config.p2pPort, config.metricsPort, config.rpcHost], [3, 2, 1, "127.0.0.1"]);
    }));

  it("are of the same kinds in every place", () =>
    withFile(
      'dir: d\nchain-spec: c\narchive: true\nbootstrap: [a, b]\ninterop-keys: 0-3\nfee-recipient: "0x1111111111111111111111111111111111111111"\n',
      async (path) => {
        const fromFile = await settled(["--config", path]);
        const fromEnvironment = await settled([], {
          JURAT_NODE_DIR: "d",
          JURAT_NODE_CHAIN_SPEC: "c",
          JURAT_NODE_ARCHIVE: "1",
          JURAT_NODE_BOOTSTRAP: "a, b",
          JURAT_NODE_INTEROP_KEYS: "0-3",
          JURAT_NODE_FEE_RECIPIENT: `0x${"11".repeat(20)}`,
        });
        const flags = ["--archive", "--bootstrap", "a", "b", "--interop-keys", "0-3"];
        const fromFlags = await settled([...REQUIRED, ...flags, "--fee-recipient", `0x${"11".repeat(20)}`]);
        const { config: _, ...withoutPath } = fromFile as NodeConfig & { readonly config: string };
        deepEqual(withoutPath, fromFlags);
        deepEqual(fromEnvironment, fromFlags);
      },
    ));

  it("replace a list as a whole, and switch off what the file switched on", () =>
    withFile("bootstrap: [a, b]\narchive: true\n", async (path) => {
      const environment = { JURAT_NODE_ARCHIVE: "false", JURAT_NODE_BOOTSTRAP: "c" };
      const config = await settled([...REQUIRED, "--config", path], environment);
      deepEqual([config.archive, config.bootstrap], [false, ["c"]]);
    }));

  it("that are unknown are refused with what was meant", async () => {
    await withFile("rpc-prt: 1\n", async (path) => {
      equal(
        await settle(["--config", path], {}),
        `error: ${path}: unknown setting rpc-prt (did you mean rpc-port?)`,
      );
    });
    equal(
      await settle(REQUIRED, { JURAT_NODE_RPC_PROT: "1" }),
      "error: unknown environment variable JURAT_NODE_RPC_PROT (did you mean JURAT_NODE_RPC_PORT?)",
    );
    equal(await settle([...REQUIRED, "--rcp-port", "1"], {}), "error: unknown option '--rcp-port'");
  });

  it("that are wrong are refused with their place", async () => {
    equal(
      await settle(REQUIRED, { JURAT_NODE_RPC_PORT: "many" }),
      "error: JURAT_NODE_RPC_PORT is invalid: expected a whole number from 0 to 65535.",
    );
    await withFile("archive: perhaps\n", async (path) => {
      equal(
        await settle([...REQUIRED, "--config", path], {}),
        `error: ${path}: archive: expected true or false, not "perhaps"`,
      );
    });
    await withFile("rpc-port: [1, 2]\n", async (path) => {
      equal(await settle(["--config", path], {}), `error: ${path}: rpc-port: expected one value`);
    });
    await withFile("[", async (path) => {
      ok(
        String(await settle(["--config", path], {})).startsWith(
          `error: cannot read the settings in ${path}:`,
        ),
      );
    });
    equal(
      await settle([], {}),
      "error: --dir is required: give it as a flag, as JURAT_NODE_DIR or in --config",
    );
  });

  it("are printed with their sources by jurat config", () =>
    withFile("rpc-port: 1\n", async (path) => {
      let text = "";
      const write = process.stdout.write.bind(process.stdout);
      const program = createProgram({
        environment: { JURAT_NODE_P2P_PORT: "2" },
        run: nothing,
        dev: nothing,
        genesis: { make: nothing, check: nothing },
        saveCheckpoint: async () => undefined,
        interchange: { import: async () => undefined, export: async () => undefined },
        db: DB_NOTHING,
        signer: async () => undefined,
      });
      process.stdout.write = ((chunk: string) => {
        text += chunk;
        return true;
      }) as typeof process.stdout.write;
      try {
        const args = ["config", "--config", path, "--metrics-port", "3", "--json"];
        await program.parseAsync(args, { from: "user" });
      } finally {
        process.stdout.write = write;
      }
      const shown = JSON.parse(text);
      deepEqual(shown["rpc-port"], { value: 1, source: "file" });
      deepEqual(shown["p2p-port"], { value: 2, source: "environment" });
      deepEqual(shown["metrics-port"], { value: 3, source: "flag" });
      deepEqual(shown["rpc-host"], { value: "127.0.0.1", source: "default" });
      deepEqual(shown.dir, { source: "unset" });
      equal(shown.config, undefined);
    }));
});

describe("the name that was meant", () => {
  it("is the nearest one, unless all are far", () => {
    const names = ["p2p-port", "rpc-port", "graffiti"];
    equal(nearestName("rcp-port", names), "rpc-port");
    equal(nearestName("rpc-prot", names), "rpc-port");
    equal(nearestName("grafiti", names), "graffiti");
    equal(nearestName("verbosity", names), undefined);
  });
});
