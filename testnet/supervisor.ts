/** Keeps one node running: a node that was up and ends is started again, so that one may kill it and watch it come back. */
import { NodeFailedError, type NodeLaunch, type NodeProcess, startNode, stopNode } from "./node-process.ts";

/** Pause before a node that ended is started again: long enough to see the others go on without it. */
const RESTART_DELAY_MS = 10_000;
/** A node that ends this often is broken, not killed by somebody curious. */
const RESTARTS_LIMIT = 20;

export type Supervisor = {
  readonly number: number;
  readonly url: string;
  /** Resolves when the node serves JSON-RPC for the first time; rejects when it ends before that. */
  readonly ready: Promise<void>;
  /** Rejects, with the node's last words, when it ended more often than the limit. Never resolves. */
  readonly failed: Promise<never>;
  /** Process id of the running node; undefined between two lives. */
  pid(): number | undefined;
  stop(): Promise<void>;
};

export function superviseNode(launch: NodeLaunch, report: (text: string) => void): Supervisor {
  let node = startNode(launch);
  let isStopping = false;
  let restarts = 0;
  let pause: { readonly end: () => void } | undefined;
  const { number, url, ready } = node;

  const failed = (async (): Promise<never> => {
    await ready;
    for (;;) {
      await node.ended;
      if (isStopping) return new Promise<never>(() => undefined);
      if (++restarts > RESTARTS_LIMIT) throw new NodeFailedError(node.lastWords());
      report(`node ${number} ended (${howItEnded(node)}); it starts again in ${RESTART_DELAY_MS / 1000} s`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, RESTART_DELAY_MS);
        pause = {
          end() {
            clearTimeout(timer);
            resolve();
          },
        };
      });
      pause = undefined;
      if (isStopping) return new Promise<never>(() => undefined);
      node = startNode(launch);
      node.ready.then(
        () => report(`node ${number} is back`),
        () => undefined,
      );
    }
  })();
  failed.catch(() => undefined);

  return {
    number,
    url,
    ready,
    failed,
    pid: () =>
      node.process.exitCode === null && node.process.signalCode === null ? node.process.pid : undefined,
    async stop() {
      isStopping = true;
      pause?.end();
      await stopNode(node);
    },
  };
}

function howItEnded({ process }: NodeProcess): string {
  return process.signalCode === null ? `exit code ${process.exitCode}` : process.signalCode;
}
