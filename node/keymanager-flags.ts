/** The flags of `jurat run` for the keymanager API. See specs/node/keymanager.md. */
import type { Command } from "commander";
import { wholeNumber } from "./whole-number.ts";

export type KeymanagerConfig = {
  readonly keymanager: boolean;
  readonly keymanagerHost: string;
  readonly keymanagerPort: number;
  /** Undefined: in the node's folder, made at the first start. */
  readonly keymanagerTokenFile?: string;
};

export function addKeymanagerFlags(run: Command): void {
  run
    .option("--keymanager", "serve the keymanager API: validator keys in and out while the node runs", false)
    .option("--keymanager-host <host>", "keymanager API address", "127.0.0.1")
    .option("--keymanager-port <port>", "keymanager API port", wholeNumber(0, 65_535), 5062)
    .option(
      "--keymanager-token-file <file>",
      "token that its clients must show, hex of 32 bytes or more; without it keymanager-token in --dir, made at the first start",
    );
}
