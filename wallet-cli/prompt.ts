/** Questions to the person at the terminal: on stderr, so that stdout stays data. */
import { createInterface } from "node:readline";
import { Writable } from "node:stream";
import { readText } from "./private-file.ts";
import { WalletError } from "./wallet-error.ts";

/** Password from a file, or typed without echo. @throws WalletError when there is neither file nor terminal. */
export async function readPassword(passwordFile: string | undefined, question: string): Promise<string> {
  if (passwordFile === undefined) return ask(question, { isHidden: true });
  return readText(passwordFile, "the password file", "key").replace(/\r?\n$/, "");
}

/** A new password, typed twice. */
export async function choosePassword(passwordFile: string | undefined): Promise<string> {
  const password = await readPassword(passwordFile, "new password: ");
  if (passwordFile !== undefined) return password;
  if ((await readPassword(undefined, "again: ")) !== password) {
    throw new WalletError("key", "the two passwords differ");
  }
  return password;
}

/** @throws WalletError (declined) unless the answer is yes. */
export async function confirm(question: string): Promise<void> {
  const answer = await ask(`${question} [y/N] `, { isHidden: false });
  if (!/^y(es)?$/i.test(answer.trim())) throw new WalletError("declined", "nothing was sent");
}

async function ask(question: string, { isHidden }: { readonly isHidden: boolean }): Promise<string> {
  if (!process.stdin.isTTY) {
    throw new WalletError(
      "usage",
      `no terminal to ask on ("${question.trim()}"): use --password-file, --yes`,
    );
  }
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({
    input: process.stdin,
    output: isHidden ? silent : process.stderr,
    terminal: true,
  });
  process.stderr.write(isHidden ? question : "");
  return new Promise((resolve, reject) => {
    lines.once("SIGINT", () => lines.close());
    // Ctrl-C, Ctrl-D and a terminal that went away close it without an answer; after an answer this does nothing.
    lines.once("close", () => {
      process.stderr.write("\n");
      reject(new WalletError("declined", "nothing was done: the question had no answer"));
    });
    lines.question(isHidden ? "" : question, (answer) => {
      lines.removeAllListeners("close");
      lines.close();
      if (isHidden) process.stderr.write("\n");
      resolve(answer);
    });
  });
}
