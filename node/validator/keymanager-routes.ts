/** The keymanager API's paths and JSON. See specs/node/keymanager.md. */
import type { Hex } from "../../primitives/bytes.ts";
import { isJsonObject, type Json, type JsonObject } from "../../rpc/json.ts";
import { badRequest, notFound, RestError } from "../rest/rest-error.ts";
import { get, json, post, type RestAnswer, type RestRequest, type Route, remove } from "../rest/route.ts";
import { InterchangeError } from "./interchange.ts";
import type { KeyManager, KeyStatus } from "./key-manager.ts";
import {
  PreferenceError,
  type ProposalPreference,
  type ProposalPreferences,
} from "./proposal-preferences.ts";
import { parseSignerUrl } from "./signer-url.ts";

/** Each takes the better part of a second to decrypt; more than this is better sent in several requests. */
export const KEYS_PER_REQUEST = 512;

export type KeymanagerView = {
  readonly manager: KeyManager;
  readonly preferences: ProposalPreferences;
  /** Whether the key is here and signs. */
  hasKey(publicKey: Hex): boolean;
  /** What the node puts into blocks of keys that have no preference. */
  readonly defaults: Readonly<Required<{ [Field in keyof ProposalPreference]: string }>>;
  /** The signed message that makes the key's validator leave; it is sent by whoever wants that. @throws RestError */
  signExit(publicKey: Hex, epoch: number | undefined): Promise<JsonObject>;
};

export function keymanagerRoutes(view: KeymanagerView): readonly Route[] {
  return [
    ...keystoreRoutes(view.manager),
    ...remoteKeyRoutes(view.manager),
    ...preferenceRoutes(view, "feerecipient", "ethaddress", "feeRecipient"),
    ...preferenceRoutes(view, "gas_limit", "gas_limit", "gasLimit"),
    ...preferenceRoutes(view, "graffiti", "graffiti", "graffiti"),
    post("/eth/v1/validator/{pubkey}/voluntary_exit", async (request) => {
      const publicKey = knownKey(view, request);
      const epoch = request.query.get("epoch");
      if (epoch !== null && !/^\d{1,15}$/.test(epoch)) throw badRequest("Invalid epoch: expected a number");
      const data = await view.signExit(publicKey, epoch === null ? undefined : Number(epoch));
      return json({ data });
    }),
  ];
}

const KEYSTORES = "/eth/v1/keystores";

function keystoreRoutes(manager: KeyManager): readonly Route[] {
  return [
    get(KEYSTORES, () =>
      json({
        data: manager.list().map(({ publicKey, derivationPath, isReadOnly }) => ({
          validating_pubkey: publicKey,
          derivation_path: derivationPath,
          readonly: isReadOnly,
        })),
      }),
    ),
    post(KEYSTORES, async ({ body }) => {
      const fields = objectOf(body);
      const keystores = textsOf(fields, "keystores");
      const passwords = textsOf(fields, "passwords");
      if (keystores.length !== passwords.length) {
        throw badRequest(
          `Invalid request body: expected a password for each of ${keystores.length} keystores, not ${passwords.length}`,
        );
      }
      const slashingProtection = textOf(fields, "slashing_protection");
      const request = { keystores, passwords, slashingProtection };
      return statusesOf(await refusingInterchange(() => manager.importKeystores(request)));
    }),
    remove(KEYSTORES, async ({ body }) => {
      const { statuses, slashingProtection } = await manager.deleteKeystores(publicKeysOf(body));
      return json({ data: statuses.map(statusJson), slashing_protection: slashingProtection });
    }),
  ];
}

const REMOTE_KEYS = "/eth/v1/remotekeys";

function remoteKeyRoutes(manager: KeyManager): readonly Route[] {
  return [
    get(REMOTE_KEYS, () =>
      json({
        data: manager.listRemote().map(({ publicKey, url, isReadOnly }) => ({
          pubkey: publicKey,
          url,
          readonly: isReadOnly,
        })),
      }),
    ),
    post(REMOTE_KEYS, async ({ body }) => {
      const keys = listOf(objectOf(body), "remote_keys").map((item) => {
        const { pubkey, url } = objectOf(item);
        return { publicKey: publicKeyOf(pubkey), url: url === undefined ? undefined : signerUrlOf(url) };
      });
      return statusesOf(await manager.importRemote(keys));
    }),
    remove(REMOTE_KEYS, async ({ body }) => statusesOf(await manager.deleteRemote(publicKeysOf(body)))),
  ];
}

/** @throws RestError 400 */
function signerUrlOf(text: unknown): string {
  const url = typeof text === "string" ? parseSignerUrl(text) : undefined;
  if (url === undefined) throw badRequest("Invalid url: expected http:// or https:// without a password");
  return url;
}

async function refusingInterchange<T>(use: () => Promise<T>): Promise<T> {
  try {
    return await use();
  } catch (error) {
    if (!(error instanceof InterchangeError)) throw error;
    const { code, ...values } = error.detail;
    throw badRequest(`Invalid slashing_protection, nothing was imported: ${code} ${JSON.stringify(values)}`);
  }
}

/** One of the API's per-key settings: read, written and left to the node again in the same way. */
function preferenceRoutes(
  view: KeymanagerView,
  name: string,
  jsonField: string,
  field: keyof ProposalPreference,
): readonly Route[] {
  const path = `/eth/v1/validator/{pubkey}/${name}`;
  const { preferences, defaults } = view;
  return [
    get(path, (request) => {
      const publicKey = knownKey(view, request);
      const value = preferences.of(publicKey)[field] ?? defaults[field];
      return json({ data: { pubkey: publicKey, [jsonField]: value } });
    }),
    post(path, async (request) => {
      const publicKey = knownKey(view, request);
      const value = objectOf(request.body)[jsonField];
      if (value === undefined) throw badRequest(`Invalid request body: ${jsonField} is missing`);
      try {
        await preferences.set(publicKey, field, value);
      } catch (error) {
        if (!(error instanceof PreferenceError)) throw error;
        throw badRequest(`Invalid ${jsonField}: ${error.message}`);
      }
      return { kind: "empty", status: 202 };
    }),
    remove(path, async (request) => {
      await preferences.set(knownKey(view, request), field, undefined);
      return { kind: "empty", status: 204 };
    }),
  ];
}

function knownKey(view: KeymanagerView, { path }: RestRequest): Hex {
  const publicKey = publicKeyOf(path["pubkey"]);
  if (!view.hasKey(publicKey)) throw notFound(`This node has no key ${publicKey}`);
  return publicKey;
}

function publicKeysOf(body: unknown): readonly Hex[] {
  return textsOf(objectOf(body), "pubkeys").map(publicKeyOf);
}

/** Case does not matter, nor whether 0x stands before it. @throws RestError 400 */
function publicKeyOf(text: unknown): Hex {
  // Not String(text): an object of JSON may have a toString that is no function.
  const given = typeof text === "string" ? text : (JSON.stringify(text) ?? "nothing");
  const [, digits] = /^(?:0x)?([0-9a-fA-F]{96})$/.exec(given) ?? [];
  if (digits === undefined) {
    throw badRequest(`Invalid public key: expected 48 bytes of hex, not ${given.slice(0, 120)}`);
  }
  return `0x${digits.toLowerCase()}`;
}

function objectOf(body: unknown): { readonly [name: string]: unknown } {
  if (!isJsonObject(body)) throw badRequest("Invalid request body: expected an object");
  return body;
}

function listOf(fields: { readonly [name: string]: unknown }, name: string): readonly unknown[] {
  const list = fields[name];
  if (!Array.isArray(list)) throw badRequest(`Invalid request body: ${name} is not a list`);
  if (list.length > KEYS_PER_REQUEST) {
    throw new RestError(
      413,
      `${name} has ${list.length} members: send at most ${KEYS_PER_REQUEST} at a time`,
    );
  }
  return list;
}

/** The API says text of JSON; some clients send the keystore itself. */
function textsOf(fields: { readonly [name: string]: unknown }, name: string): readonly string[] {
  return listOf(fields, name).map((item) => {
    if (typeof item === "string") return item;
    if (isJsonObject(item)) return JSON.stringify(item);
    throw badRequest(`Invalid request body: ${name} holds something that is not text`);
  });
}

function textOf(fields: { readonly [name: string]: unknown }, name: string): string | undefined {
  const value = fields[name];
  if (value === undefined || value === null) return undefined;
  if (typeof value === "string") return value;
  if (isJsonObject(value)) return JSON.stringify(value);
  throw badRequest(`Invalid request body: ${name} is not text`);
}

function statusesOf(statuses: readonly KeyStatus[]): RestAnswer {
  return json({ data: statuses.map(statusJson) });
}

function statusJson({ status, message }: KeyStatus): Json {
  return message === undefined ? { status } : { status, message };
}
