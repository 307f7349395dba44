/** Answers of a node nobody trusts: asked for by JSON-RPC, read strictly, and worth nothing until they are proven. */
import { type Schema, SchemaError } from "../../rpc/schema.ts";
import { TrieNodeError } from "../../vm/state/trie-node.ts";
import { ProofError } from "../../vm/state/trie-proof.ts";
import { LightError } from "../light-error.ts";

/** Sends one JSON-RPC request and resolves with its result. What the node refuses is thrown as the caller's transport throws it. */
export type AskNode = (method: string, params: readonly unknown[]) => Promise<unknown>;

/** @throws LightError LIGHT_MALFORMED naming the field. */
export function readAnswer<T>(schema: Schema<T>, json: unknown, at: string): T {
  try {
    return schema.read(json, at);
  } catch (error) {
    if (!(error instanceof SchemaError)) throw error;
    throw new LightError(
      { code: "LIGHT_MALFORMED", at: error.at, expected: schema.expects },
      { cause: error },
    );
  }
}

/** @throws LightError LIGHT_MALFORMED */
export function readObject(json: unknown, at: string): { readonly [name: string]: unknown } {
  if (typeof json === "object" && json !== null && !Array.isArray(json)) {
    return json as { readonly [name: string]: unknown };
  }
  throw new LightError({ code: "LIGHT_MALFORMED", at, expected: "an object" });
}

/** @throws LightError LIGHT_MALFORMED */
export function readList(json: unknown, at: string, limit: number): readonly unknown[] {
  if (Array.isArray(json) && json.length <= limit) return json;
  throw new LightError({ code: "LIGHT_MALFORMED", at, expected: `a list of at most ${limit}` });
}

/** What `verify` proves; bytes that prove something else are a lie about `of`. @throws LightError LIGHT_WRONG_PROOF */
export function proven<T>(of: "account" | "storage", verify: () => T): T {
  try {
    return verify();
  } catch (error) {
    if (!(error instanceof ProofError) && !(error instanceof TrieNodeError)) throw error;
    throw new LightError({ code: "LIGHT_WRONG_PROOF", of }, { cause: error });
  }
}
