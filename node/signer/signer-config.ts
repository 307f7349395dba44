/** The flags of `jurat signer`. See specs/node/remote-signing.md#our-signer. */
import type { Command } from "commander";
import { LOG_LEVELS } from "../log.ts";
import { wholeNumber } from "../whole-number.ts";

export type SignerConfig = {
  readonly dir: string;
  readonly chainSpec: string;
  readonly keystores: string;
  readonly passwordFile: string;
  readonly host: string;
  readonly port: number;
  readonly virtualHosts: readonly string[];
  readonly logLevel: string;
  readonly logJson: boolean;
};

export function addSignerCommand(program: Command, run: (config: SignerConfig) => Promise<void>): void {
  program
    .command("signer")
    .description("keep validator keys apart from the node: sign for it, by the Web3Signer API")
    .requiredOption("--dir <path>", "folder for what was signed; never two signers with one key")
    .requiredOption("--chain-spec <file>", "JSON that defines the chain")
    .requiredOption("--keystores <folder>", "EIP-2335 keystores to sign with")
    .requiredOption("--password-file <file>", "password of the keystores; readable by you alone")
    .option("--host <host>", "address", "127.0.0.1")
    .option("--port <port>", "port", wholeNumber(0, 65_535), 9010)
    .option("--virtual-hosts <names...>", "host names to answer to besides localhost; * is any", [])
    .option("--log-level <level>", `least severe line written: ${LOG_LEVELS.join(", ")}`, "info")
    .option("--log-json", "log JSON, one object per line", false)
    .addHelpText(
      "after",
      `
Whoever reaches the port has messages signed that are not slashable: keep it between the node and the signer.

Example:
  $ jurat signer --dir ./signer --chain-spec chain.json --keystores ./keys --password-file ./pw
  $ jurat run --dir ./node --chain-spec chain.json --remote-signer http://127.0.0.1:9010 --fee-recipient 0x…`,
    )
    .action(async (config: SignerConfig, command: Command) => {
      if (!(LOG_LEVELS as readonly string[]).includes(config.logLevel)) {
        command.error(`error: --log-level: expected one of ${LOG_LEVELS.join(", ")}`);
      }
      await run(config);
    });
}
