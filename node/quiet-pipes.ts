/** A reader of our output that has seen enough (head, less), or is gone, is no failure. */

/** Ends nothing: a node whose log nobody reads goes on, a command that prints comes to its end. */
export function ignoreClosedPipes(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code !== "EPIPE") throw error;
    });
  }
}
