/** What the beacon API answers to which path: a route is a value. See specs/node/rest.md. */
import type { Json, JsonObject } from "../../rpc/json.ts";
import { badRequest } from "./rest-error.ts";

export type RestRequest = {
  /** Parts of the path by the names the route gives them. */
  readonly path: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  /** The parsed body of a POST or DELETE; undefined without one. */
  readonly body: unknown;
  /** The client would rather have SSZ bytes than JSON. */
  readonly prefersBytes: boolean;
};

export type RestAnswer =
  | {
      readonly kind: "json";
      readonly value: Json;
      readonly status?: number;
      readonly headers?: Readonly<Record<string, string>>;
    }
  | {
      readonly kind: "bytes";
      readonly bytes: Uint8Array;
      readonly headers?: Readonly<Record<string, string>>;
    }
  /** `data` is long: it is made and sent bit by bit, so that neither memory nor the thread is taken by it. */
  | { readonly kind: "list"; readonly head: JsonObject; readonly items: Iterable<Json> }
  | { readonly kind: "empty"; readonly status: number };

export type Route = {
  readonly method: "GET" | "POST" | "DELETE";
  /** `/eth/v1/beacon/states/{state_id}/root` */
  readonly path: string;
  handle(request: RestRequest): RestAnswer | Promise<RestAnswer>;
};

export function json(value: Json, headers: Readonly<Record<string, string>> = {}): RestAnswer {
  return { kind: "json", value, headers };
}

export function get(path: string, handle: Route["handle"]): Route {
  return { method: "GET", path, handle };
}

export function post(path: string, handle: Route["handle"]): Route {
  return { method: "POST", path, handle };
}

export function remove(path: string, handle: Route["handle"]): Route {
  return { method: "DELETE", path, handle };
}

/** Values of a list parameter, given as `id=1,2` or `id=1&id=2`. */
export function listOf(query: URLSearchParams, name: string): readonly string[] {
  return query.getAll(name).flatMap((value) => value.split(",").filter((part) => part !== ""));
}

/** A uint64 of a query; undefined when it is not there. @throws RestError 400 */
export function numberOf(query: URLSearchParams, name: string): number | undefined {
  const text = query.get(name);
  return text === null ? undefined : parseNumber(text, name);
}

/** @throws RestError 400 naming what is wrong. */
export function parseNumber(text: string, name: string): number {
  const value = Number(text);
  if (/^\d{1,16}$/.test(text) && Number.isSafeInteger(value)) return value;
  throw badRequest(`Invalid ${name}: ${text.slice(0, 80)}`);
}

/** The path's parts by name, or undefined when it is another path. */
export function matchPath(pattern: string, path: string): Readonly<Record<string, string>> | undefined {
  const expected = pattern.split("/");
  const given = path.split("/");
  if (expected.length !== given.length) return undefined;
  const parts: Record<string, string> = {};
  for (const [index, part] of expected.entries()) {
    const text = given[index] ?? "";
    if (part.startsWith("{")) parts[part.slice(1, -1)] = decoded(text);
    else if (part !== text) return undefined;
  }
  return parts;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
