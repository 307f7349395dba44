/** The values JSON can carry, as a type. See specs/rpc/schemas.md. */

export type JsonObject = { readonly [name: string]: Json | undefined };
export type Json = string | number | boolean | null | readonly Json[] | JsonObject;

export function isJsonObject(value: unknown): value is { readonly [name: string]: unknown } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
