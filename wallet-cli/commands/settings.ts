/** `network`, `contact`, `completions`: the settings file and the shell. */
import type { Command } from "commander";
import { count, type KeyFlags, type OutputFlags, withKeys, withOutput } from "../options.ts";

export type NetworkFlags = OutputFlags & { readonly chainId?: number; readonly beaconUrl?: string };

export type CompletionFlags = OutputFlags;

const load = () => import("../actions/settings.ts");

export function addSettingsCommands(program: Command): void {
  const network = program.command("network").description("named networks of the settings file");
  withOutput(network.command("add"))
    .description("add a network, or change it; the first is used when none is named")
    .argument("<name>")
    .argument("<url>", "JSON-RPC over HTTP")
    .option("--chain-id <id>", "refuse nodes of any other chain", count)
    .option("--beacon-url <url>", "beacon API, where it is not the node's own")
    .addHelpText(
      "after",
      "\nExample:\n  $ jurat-wallet network add local http://127.0.0.1:8545 --chain-id 8700",
    )
    .action(async (name: string, url: string, flags: NetworkFlags) =>
      (await load()).addNetwork(name, url, flags),
    );
  withOutput(network.command("use"))
    .description("the network that is used when none is named")
    .argument("<name>")
    .addHelpText("after", "\nExample:\n  $ jurat-wallet network use local")
    .action(async (name: string, flags: OutputFlags) => (await load()).useNetwork(name, flags));
  withOutput(network.command("remove"))
    .description("forget a network")
    .argument("<name>")
    .addHelpText("after", "\nExample:\n  $ jurat-wallet network remove local")
    .action(async (name: string, flags: OutputFlags) => (await load()).removeNetwork(name, flags));
  withOutput(network.command("list"))
    .description("networks; the star marks the one in use")
    .addHelpText("after", "\nExample:\n  $ jurat-wallet network list --json")
    .action(async (flags: OutputFlags) => (await load()).listNetworks(flags));
  addContacts(program);

  withOutput(program.command("completions"))
    .description("a script that completes commands and flags")
    .argument("<shell>", "bash, zsh or fish")
    .addHelpText(
      "after",
      "\nExamples:\n  $ source <(jurat-wallet completions bash)\n  $ jurat-wallet completions zsh > ~/.zfunc/_jurat-wallet\n  $ jurat-wallet completions fish > ~/.config/fish/completions/jurat-wallet.fish",
    )
    .action(async (shell: string, flags: CompletionFlags) =>
      (await import("../actions/completions.ts")).completions(program, shell, flags),
    );
}

function addContacts(program: Command): void {
  const contact = program.command("contact").description("the address book");
  withOutput(withKeys(contact.command("add")))
    .description("name an address, or change it")
    .argument("<name>")
    .argument("<address>")
    .addHelpText("after", "\nExample:\n  $ jurat-wallet contact add bob 0x7099…79C8")
    .action(async (name: string, address: string, flags: KeyFlags & OutputFlags) =>
      (await load()).addContact(name, address, flags),
    );
  withOutput(contact.command("remove"))
    .description("forget a name")
    .argument("<name>")
    .addHelpText("after", "\nExample:\n  $ jurat-wallet contact remove bob")
    .action(async (name: string, flags: OutputFlags) => (await load()).removeContact(name, flags));
  withOutput(contact.command("list"))
    .description("names and addresses")
    .addHelpText("after", "\nExample:\n  $ jurat-wallet contact list")
    .action(async (flags: OutputFlags) => (await load()).listContacts(flags));
}
