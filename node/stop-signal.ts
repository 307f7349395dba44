/** When the process is asked to end: by a person, by the service manager, because its parent is gone, or from inside. */

export type StopSignal = {
  /** Resolves once, with what asked. */
  readonly requested: Promise<string>;
  /** Ends the node because it cannot go on. The first failure decides the exit code. */
  fail(reason: string, exitCode: number): void;
  /** 0 unless it failed. */
  exitCode(): number;
};

export function createStopSignal(): StopSignal {
  const { promise, resolve } = Promise.withResolvers<string>();
  let failure = 0;
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => resolve(signal));
  // Started with an ipc channel, the node belongs to whoever holds the other end.
  if (process.channel !== undefined) {
    process.on("disconnect", () => resolve("the parent process is gone"));
    process.channel.unref();
  }
  return {
    requested: promise,
    fail(reason, exitCode) {
      if (failure === 0) failure = exitCode;
      resolve(reason);
    },
    exitCode: () => failure,
  };
}
