/** The beacon API put together: what watches the chain from the first event on, and the server. See specs/node/rest.md. */
import type { ChainContainers } from "../../consensus/chain-containers.ts";
import { SignedVoluntaryExit } from "../../consensus/containers.ts";
import type { Effect, EngineEvent } from "../../consensus/engine-events.ts";
import type { Engine } from "../../consensus/engine-state.ts";
import type { Genesis } from "../../consensus/genesis.ts";
import { getState } from "../../consensus/state-cache.ts";
import { computePeriodAtSlot } from "../../consensus/time.ts";
import { toHex } from "../../primitives/bytes.ts";
import type { ConsensusAnswer } from "../../rpc/chain-view.ts";
import { DEPOSIT_CONTRACT_ADDRESS } from "../../vm/chain-config.ts";
import type { BlockCodec } from "../chain/block-codec.ts";
import type { InOrder } from "../chain/in-order.ts";
import type { LightQuestion } from "../execution/port.ts";
import { answerLight } from "../light/light-answers.ts";
import type { Logger } from "../log.ts";
import type { Network } from "../network/network-port.ts";
import type { RestConfig } from "../rest-flags.ts";
import type { ConsensusBlocks } from "../storage/consensus-blocks.ts";
import type { Database } from "../storage/database.ts";
import { StakeLedger } from "../storage/stake-ledger.ts";
import { blockRoutes } from "./block-routes.ts";
import { createChainWatch } from "./chain-watch.ts";
import { type CheckpointSource, checkpointRoutes } from "./checkpoint-routes.ts";
import { configRoutes } from "./config-routes.ts";
import { createEventHub } from "./event-stream.ts";
import { lightRoutes } from "./light-routes.ts";
import { nodeRoutes } from "./node-routes.ts";
import { poolRoutes, type SubmitExit } from "./pool-routes.ts";
import { RestError } from "./rest-error.ts";
import { type RestServer, startRestServer } from "./rest-server.ts";
import { createRewardHistory, rewardRoutes } from "./reward-routes.ts";
import { stateRoutes } from "./state-routes.ts";
import { validatorRoutes } from "./validator-routes.ts";
import type { RestView } from "./view.ts";

export type RestParts = {
  readonly engine: Engine;
  readonly genesis: Genesis;
  readonly containers: ChainContainers;
  readonly codec: BlockCodec;
  readonly blocks: ConsensusBlocks;
  /** The consensus side's, for the ledger of stakes. */
  readonly database: Database;
  readonly inOrder: InOrder;
  readonly execution: CheckpointSource["execution"];
  readonly chainId: number;
  /** Names this run of the node in the ids of events. */
  readonly run: string;
  readonly log: Logger;
  readonly fatal: (error: unknown) => void;
};

export type RestPorts = {
  readonly config: RestConfig;
  readonly network: Network;
  readonly submit: (event: EngineEvent) => void;
  readonly syncTargetSlot: () => number | undefined;
};

export type Rest = {
  /** Looks at an event on its way to the engine, and gives it on. */
  watched(event: EngineEvent): EngineEvent;
  /** Carries out a wish by `perform`, and then looks at it. */
  watching(perform: (effect: Effect) => void): (effect: Effect) => void;
  /** Rejects when the port is taken. */
  listen(ports: RestPorts): Promise<BeaconServer>;
};

/** The server, and what it knows for whoever asks in another way. */
export type BeaconServer = RestServer & { askLight(question: LightQuestion): ConsensusAnswer };

/** Watches from now on; serves when it is told to. */
export function prepareRest(parts: RestParts): Rest {
  const { engine, genesis, containers, codec, blocks, database, inOrder, log, fatal } = parts;
  const { params } = engine.chain;
  const events = createEventHub(parts.run);
  const watch = createChainWatch({ engine, containers, events, inOrder });
  const ledger = new StakeLedger(database, blocks, codec.decode);
  const history = createRewardHistory(ledger, (slot) => computePeriodAtSlot(slot, params));
  openLedger(parts, ledger).catch(fatal);

  const onEffect = (effect: Effect): void => {
    watch.onEffect(effect);
    if (effect.type === "storeBlock") ledger.note(effect.root, effect.block);
    if (effect.type !== "finalized") return;
    const { state } = effect;
    // The queue's own turn comes when the blocks are recorded as final; the ledger then works beside it.
    inOrder.add(async () => {
      ledger.catchUp().then(() => history.onFinalizedState(state), fatal);
    });
  };
  return {
    watched(event) {
      watch.onEvent(event);
      return event;
    },
    watching: (perform) => (effect) => {
      perform(effect);
      onEffect(effect);
    },
    async listen({ config, network, submit, syncTargetSlot }) {
      const { chainId } = parts;
      const view: RestView = {
        ...{ engine, genesis, params, containers, codec, blocks, network, chainId, syncTargetSlot },
        depositContract: DEPOSIT_CONTRACT_ADDRESS,
      };
      const submitExit = createExitSubmitter(submit, watch.verdictOn, network, fatal);
      const server = await startRestServer({
        host: config.beaconHost,
        port: config.beaconPort,
        virtualHosts: [config.beaconHost, "localhost", "127.0.0.1", ...config.beaconVirtualHosts],
        corsOrigins: config.beaconCorsOrigins,
        routes: [
          ...configRoutes(view),
          ...stateRoutes(view),
          ...validatorRoutes(view),
          ...blockRoutes(view),
          ...poolRoutes(view, submitExit),
          ...nodeRoutes(view),
          ...lightRoutes(view),
          ...checkpointRoutes({ anchor: () => blocks.anchor(), execution: parts.execution }),
          ...rewardRoutes(view, ledger, history),
        ],
        events,
        onFault: (error, path) => log.error({ err: error, path }, "beacon API request failed"),
      });
      const close = async () => {
        events.close();
        await server.close();
      };
      return { port: server.port, close, askLight: (question) => lightAnswer(view, question) };
    },
  };
}

function lightAnswer(view: RestView, question: LightQuestion): ConsensusAnswer {
  try {
    return { json: answerLight(view, question) };
  } catch (error) {
    if (!(error instanceof RestError)) throw error;
    return { unavailable: error.message };
  }
}

/** A node that has its chain from genesis on counts from there; one that does not, from its finalized state. */
async function openLedger({ engine, genesis, blocks, codec }: RestParts, ledger: StakeLedger): Promise<void> {
  const earliest = blocks.earliestAvailableSlot();
  const root = earliest === undefined ? undefined : blocks.finalizedRootAt(earliest);
  const bytes = root === undefined ? undefined : blocks.get(root);
  const isWhole =
    bytes === undefined || toHex(codec.decode(bytes).message.parentRoot) === engine.chain.genesisRoot;
  await ledger.begin(
    isWhole ? genesis.state : (getState(engine.states, engine.settled.root) ?? genesis.state),
  );
  await ledger.catchUp();
}

function createExitSubmitter(
  submit: (event: EngineEvent) => void,
  verdictOn: (messageId: string) => ReturnType<SubmitExit>,
  network: Pick<Network, "publish">,
  fatal: (error: unknown) => void,
): SubmitExit {
  let count = 0;
  return async (exit) => {
    count += 1;
    const messageId = `beacon-api-exit-${count}`;
    const judged = verdictOn(messageId);
    submit({ type: "operationReceived", operation: { kind: "voluntaryExit", exit }, messageId });
    const verdict = await judged;
    if (verdict.verdict === "accept") {
      network.publish("voluntary_exit", SignedVoluntaryExit.serialize(exit)).catch(fatal);
    }
    return verdict;
  };
}
