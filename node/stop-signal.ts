/** When the process is asked to end: by a person, by the service manager, because its parent is gone, or from inside. */

export type StopSignal = {
  /** Resolves once, with what asked. */
  readonly requested: Promise<string>;
  /** Ends the node because it cannot go on. */
  fail(reason: string): void;
  hasFailed(): boolean;
};

export function createStopSignal(): StopSignal {
  const { promise, resolve } = Promise.withResolvers<string>();
  let hasFailed = false;
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => resolve(signal));
  // Started with an ipc channel, the node belongs to whoever holds the other end.
  if (process.channel !== undefined) {
    process.on("disconnect", () => resolve("the parent process is gone"));
    process.channel.unref();
  }
  return {
    requested: promise,
    fail(reason) {
      hasFailed = true;
      resolve(reason);
    },
    hasFailed: () => hasFailed,
  };
}
