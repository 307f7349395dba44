/** Runs asynchronous tasks one after the other, in the order they were given. */

export type InOrder = {
  add(task: () => Promise<void>): void;
  /** Resolves when everything given so far has run. */
  settled(): Promise<void>;
  /** Tasks given that have not begun. */
  waiting(): number;
};

/** A task that fails stops the queue for good: what comes after it may rely on what it did. */
export function createInOrder(onFailure: (error: unknown) => void): InOrder {
  let last: Promise<void> = Promise.resolve();
  let hasFailed = false;
  let waiting = 0;
  return {
    add(task) {
      waiting++;
      last = last.then(async () => {
        waiting--;
        if (hasFailed) return;
        try {
          await task();
        } catch (error) {
          hasFailed = true;
          onFailure(error);
        }
      });
    },
    settled: () => last,
    waiting: () => waiting,
  };
}
