/** The engine's wishes for blocks, carried out by sync; how they ended goes back as events. */
import type { SignedBeaconBlock } from "../../consensus/chain-containers.ts";
import type { Effect, EngineEvent } from "../../consensus/engine-events.ts";
import type { Logger } from "../log.ts";
import { Sync } from "../sync/sync.ts";
import type { SyncPort } from "../sync/sync-port.ts";
import { createSyncProgress } from "../sync/sync-progress.ts";

type Wish<Type extends Effect["type"]> = Extract<Effect, { readonly type: Type }>;

export type SyncRunner = {
  requestBlock(wish: Wish<"requestBlock">): void;
  startRange(wish: Wish<"startRangeSync">): void;
  /** Head slot of the peer we are catching up with; undefined when we are not. */
  targetSlot(): number | undefined;
  stop(): void;
};

export type SyncRunnerPorts = {
  readonly port: SyncPort<SignedBeaconBlock>;
  readonly submit: (event: EngineEvent) => void;
  readonly log: Logger;
  readonly nowMs: () => number;
  readonly fatal: (error: unknown) => void;
};

export function createSyncRunner({ port, submit, log, nowMs, fatal }: SyncRunnerPorts): SyncRunner {
  const targets = new Map<string, number>();
  const watches = new Map<string, ReturnType<typeof createSyncProgress>>();
  const sync = new Sync(port, {
    nowMs,
    onProgress({ peer, ...position }) {
      const watch = watches.get(peer) ?? createSyncProgress(nowMs);
      watches.set(peer, watch);
      const report = watch(position);
      if (report !== undefined) log.info(report, "catching up");
    },
  });
  return {
    requestBlock({ root, peer }) {
      sync
        .requestBlock(root, peer)
        .then((outcome) => submit({ type: "blockRequestEnded", root, peer, outcome }))
        .catch(fatal);
    },
    startRange({ peer, fromSlot, toSlot, headRoot }) {
      targets.set(peer, toSlot);
      sync
        .startRangeSync({ peer, fromSlot, toSlot, headRoot })
        .then((outcome) => {
          targets.delete(peer);
          watches.delete(peer);
          log.info({ peer, fromSlot, toSlot, outcome }, "sync run ended");
          submit({ type: "rangeSyncEnded", peer, outcome });
        })
        .catch(fatal);
    },
    targetSlot: () => (targets.size === 0 ? undefined : Math.max(...targets.values())),
    stop: () => sync.stop(),
  };
}
