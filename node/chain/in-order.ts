/** Runs asynchronous tasks one after the other, in the order they were given; some may gather until their turn comes. */

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

/**
 * Items that wait for the same turn are handled together: the first one takes a place in the queue, and those that come
 * before its turn join it there. So an item may be handled before a task given earlier, never after one given later.
 */
export function gatherInOrder<Item>(
  queue: Pick<InOrder, "add">,
  handle: (items: readonly Item[]) => Promise<void>,
): (item: Item) => void {
  let gathered: Item[] = [];
  return (item) => {
    gathered.push(item);
    if (gathered.length > 1) return;
    queue.add(async () => {
      const items = gathered;
      gathered = [];
      await handle(items);
    });
  };
}
