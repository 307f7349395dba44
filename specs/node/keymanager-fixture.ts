/** A keymanager API over a lone engine, with its files in a scratch folder. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type EngineStart, step } from "../../consensus/engine.ts";
import type { EngineEvent } from "../../consensus/engine-events.ts";
import type { Engine } from "../../consensus/engine-state.ts";
import { encryptKeystore } from "../../keys/keystore.ts";
import { createOwnValidators } from "../../node/chain/own-validators.ts";
import type { NodeConfig } from "../../node/config.ts";
import { createLog } from "../../node/log.ts";
import { openDatabase } from "../../node/storage/database.ts";
import { SlashingProtection } from "../../node/storage/slashing-protection.ts";
import { TOKEN_FILE } from "../../node/validator/bearer-token.ts";
import { type KeyringSources, loadKeyring } from "../../node/validator/keyring.ts";
import { openProposalPreferences } from "../../node/validator/proposal-preferences.ts";
import { createSigner, type Signer } from "../../node/validator/signer.ts";
import { startKeymanager } from "../../node/validator/start-keymanager.ts";
import { blsPublicKey } from "../../primitives/bls.ts";
import { type Hex, toHex } from "../../primitives/bytes.ts";
import { interopSecretKey } from "../../primitives/interop-keys.ts";
import { createWorkbench, startEngine, type Workbench } from "../support/lone-engine.ts";
import { SCRATCH_CHAIN } from "../support/scratch-database.ts";

export const PASSWORD = "correct horse";
export const publicKeyOf = (index: number): Hex => toHex(blsPublicKey(interopSecretKey(index)));
/** Keystore text of a well-known key, cheap to open. */
export const keystoreOf = (index: number): string =>
  JSON.stringify(encryptKeystore(interopSecretKey(index), PASSWORD, `m/12381/3600/${index}/0/0`, 2));

/** The engine's wish for a signed block of a validator. */
export function blockWish(validatorIndex: number, slot: number, signingRoot = new Uint8Array(32)) {
  const root = new Uint8Array(32);
  const header = { slot, proposerIndex: validatorIndex, parentRoot: root, stateRoot: root, bodyRoot: root };
  return { type: "signBlock" as const, id: 1, validatorIndex, slot, header, signingRoot };
}

export type Reply = { readonly status: number; readonly body: unknown };

export type KeymanagerFixture = {
  readonly dir: string;
  readonly bench: Workbench;
  readonly engine: Engine;
  readonly events: EngineEvent[];
  readonly protection: SlashingProtection;
  readonly signer: Signer;
  readonly port: number;
  ask(method: string, path: string, body?: unknown, token?: string | null): Promise<Reply>;
};

export type FixtureOptions = {
  readonly sources?: Partial<KeyringSources>;
  readonly tokenFile?: string;
  readonly listensFirst?: boolean;
  readonly config?: Partial<NodeConfig>;
  readonly start?: Partial<EngineStart>;
};

const bench = createWorkbench(4);

/** What a node does with `dir` between a start and a stop. */
export async function withKeymanager<T>(
  dir: string,
  use: (fixture: KeymanagerFixture) => Promise<T>,
  { sources, tokenFile, listensFirst = false, config = {}, start = {} }: FixtureOptions = {},
): Promise<T> {
  const engine = startEngine(bench, start);
  const directory = join(dir, "validator");
  const database = await openDatabase({ directory, role: "validator", chain: SCRATCH_CHAIN });
  const protection = new SlashingProtection(database);
  const interop = undefined;
  const keyring = await loadKeyring({ dir, interop, keystores: undefined, mayBeEmpty: true, ...sources });
  const log = createLog({ levels: { level: "fatal", modules: {} }, json: true });
  const events: EngineEvent[] = [];
  const submit = (event: EngineEvent) => {
    events.push(event);
    step(engine, event);
  };
  const fatal = (error: unknown) => {
    throw error;
  };
  const signer = createSigner({
    ...{ keyring, protection, onRefused: () => undefined, signRemotely: async () => undefined },
    publicKeyOf: (index) => publicKeyOf(index),
  });
  const server = startKeymanager({
    ...{ engine, keyring, protection, signer, log, preferences: openProposalPreferences(dir) },
    own: createOwnValidators({ engine, keyring, submit, startSlot: 0, listensFirst, log, fatal }),
    config: {
      ...{ dir, keymanager: true, keymanagerHost: "127.0.0.1", keymanagerPort: 0 },
      ...{ graffiti: "jurat", gasLimit: 30_000_000, feeRecipient: `0x${"fe".repeat(20)}` },
      ...config,
      ...(tokenFile === undefined ? {} : { keymanagerTokenFile: tokenFile }),
    } as NodeConfig,
  });
  try {
    const { port = 0 } = (await server) ?? {};
    const ask = (method: string, path: string, body?: unknown, token?: string | null) =>
      askKeymanager(port, token === undefined ? tokenIn(dir, tokenFile) : token, method, path, body);
    return await use({ ...{ dir, bench, engine, events, protection, signer, port }, ask });
  } finally {
    await server.then((running) => running?.close()).catch(() => undefined);
    await database.close();
  }
}

/** What a client has to show. */
export function tokenIn(dir: string, tokenFile = join(dir, TOKEN_FILE)): string {
  return readFileSync(tokenFile, "utf8").trim();
}

/** @param token null shows none. */
export async function askKeymanager(
  port: number,
  token: string | null,
  method: string,
  path: string,
  body?: unknown,
): Promise<Reply> {
  const response = await fetch(`http://127.0.0.1:${port}${path}`, {
    method,
    headers: {
      ...(token === null ? {} : { authorization: `Bearer ${token}` }),
      ...(body === undefined ? {} : { "content-type": "application/json" }),
    },
    ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, body: text === "" ? undefined : JSON.parse(text) };
}
