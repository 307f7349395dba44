/** The keymanager API put together, on the consensus thread and a port of its own. See specs/node/keymanager.md. */
import type { IncomingMessage } from "node:http";
import { SignedVoluntaryExit } from "../../consensus/containers.ts";
import type { Engine } from "../../consensus/engine-state.ts";
import { exitSigningRoot } from "../../consensus/signature-sets.ts";
import { getState } from "../../consensus/state-cache.ts";
import { computeEpochAtSlot } from "../../consensus/time.ts";
import { type Hex, toHex, ZERO_ADDRESS } from "../../primitives/bytes.ts";
import type { JsonObject } from "../../rpc/json.ts";
import type { OwnValidators } from "../chain/own-validators.ts";
import type { NodeConfig } from "../config.ts";
import type { Logger } from "../log.ts";
import { RestError } from "../rest/rest-error.ts";
import { type RestServer, startRestServer } from "../rest/rest-server.ts";
import type { SlashingProtection } from "../storage/slashing-protection.ts";
import { createTokenCheck, loadToken } from "./bearer-token.ts";
import { openKeyFolder } from "./key-folder.ts";
import { indicesOfKeys } from "./key-indices.ts";
import { createKeyManager } from "./key-manager.ts";
import { keymanagerRoutes } from "./keymanager-routes.ts";
import type { ValidatorKey } from "./keyring.ts";
import type { ProposalPreferences } from "./proposal-preferences.ts";
import type { Signer } from "./signer.ts";

/** Keystores have about a kilobyte; the rest is for a complete history of what they signed. */
const BODY_LIMIT_BYTES = 16 * 1024 * 1024;
/** A request of as many keystores as are allowed, on a slow machine. */
const ANSWER_MS = 30 * 60_000;

export type KeymanagerParts = {
  readonly config: NodeConfig;
  readonly engine: Engine;
  readonly keyring: Map<Hex, ValidatorKey>;
  readonly protection: SlashingProtection;
  readonly preferences: ProposalPreferences;
  readonly own: OwnValidators;
  readonly signer: Pick<Signer, "signExit">;
  readonly log: Logger;
};

/** Undefined without --keymanager. Rejects when the port is taken or the token cannot be read. */
export async function startKeymanager(parts: KeymanagerParts): Promise<RestServer | undefined> {
  const { config, engine, keyring, protection, preferences, own, log } = parts;
  if (!config.keymanager) return undefined;
  const check = createTokenCheck(await loadToken(config.dir, config.keymanagerTokenFile));
  const manager = createKeyManager({
    ...{ keyring, protection, folder: openKeyFolder(config.dir) },
    defaultSigner: config.remoteSigner,
    genesisValidatorsRoot: toHex(engine.chain.genesisValidatorsRoot),
    onAdded(publicKeys) {
      log.info({ publicKeys }, "keys imported");
      own.onKeysAdded(publicKeys);
    },
    onRemoved(publicKeys) {
      log.info({ publicKeys }, "keys removed");
      own.onKeysRemoved(publicKeys);
      for (const publicKey of publicKeys) {
        preferences
          .forget(publicKey)
          .catch((error: unknown) => log.warn({ err: error, publicKey }, "its settings stay on disk"));
      }
    },
  });
  const server = await startRestServer({
    host: config.keymanagerHost,
    port: config.keymanagerPort,
    // Whoever has the token may come by any name, and no page of a browser has it.
    virtualHosts: ["*"],
    corsOrigins: [],
    bodyLimitBytes: BODY_LIMIT_BYTES,
    answerMs: ANSWER_MS,
    authorize: ({ headers }: IncomingMessage) => {
      const verdict = check(headers.authorization);
      if (verdict === "none") throw new RestError(401, "A bearer token is needed");
      if (verdict === "wrong") throw new RestError(403, "The token is not this node's");
    },
    routes: keymanagerRoutes({
      ...{ manager, preferences },
      hasKey: (publicKey) => keyring.has(publicKey),
      defaults: {
        feeRecipient: config.feeRecipient ?? ZERO_ADDRESS,
        graffiti: config.graffiti,
        gasLimit: String(config.gasLimit),
      },
      signExit: (publicKey, epoch) => signExit(parts, publicKey, epoch),
    }),
    onFault: (error, path) => log.error({ err: error, path }, "keymanager API request failed"),
  });
  log.info({ port: server.port }, "keymanager API");
  return server;
}

/** An exit that the chain takes from `epoch` on: the current one when it is left out. */
async function signExit(
  { engine, signer }: KeymanagerParts,
  publicKey: Hex,
  epoch: number | undefined,
): Promise<JsonObject> {
  const { states, store, chain } = engine;
  const state = getState(states, store.headRoot);
  if (state === undefined) throw new RestError(503, "The state of the head is not at hand; ask again");
  const [validatorIndex] = indicesOfKeys(state, new Set([publicKey]));
  if (validatorIndex === undefined) throw new RestError(404, "The key has no validator on this chain");
  const message = { epoch: epoch ?? computeEpochAtSlot(store.nowSlot, chain.params), validatorIndex };
  const signature = await signer.signExit(publicKey, message, exitSigningRoot(state, message, chain.params));
  if (signature === undefined) throw new RestError(500, "The key did not sign");
  return SignedVoluntaryExit.toJson({ message, signature }) as JsonObject;
}
