/** Running a program to its end. */
import { execFile } from "node:child_process";
import { PROJECT_ROOT } from "./vectors.ts";

export type Run = { readonly code: number; readonly stdout: string; readonly stderr: string };

export type RunOptions = {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string;
};

/** A failure is an answer, not an exception. Standard input is what `input` says, then closed. */
export function runProgram(
  program: string,
  args: readonly string[],
  { cwd = PROJECT_ROOT, env = {}, input = "" }: RunOptions = {},
): Promise<Run> {
  return new Promise((resolve) => {
    const options = { cwd, env: { ...process.env, ...env } };
    const child = execFile(program, [...args], options, (error, stdout, stderr) => {
      resolve({
        code: typeof error?.code === "number" ? error.code : error === null ? 0 : -1,
        stdout,
        stderr,
      });
    });
    // A program that ends without reading what it is sent is no failure of the caller.
    child.stdin?.on("error", () => undefined);
    child.stdin?.end(input);
  });
}
