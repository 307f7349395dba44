/** Calls to other contracts, raw and typed, and creations. See specs/contracts/calls.md. */
import { CALL_KIND, type Kind, OPERATION } from "../../vm/contract/operation.ts";
import { compileTypes } from "./abi.ts";
import { host, hostJson, hostText } from "./host.ts";
import { applyPack } from "./wire.ts";

type CallOptions = { readonly value?: bigint; readonly gas?: bigint };

function send(kind: number, to: string, data: string, { value = 0n, gas }: CallOptions): string {
  return hostText(OPERATION.call, kind, to, data, value, gas);
}

/** Returns what the callee returned; throws an error with its revert data when it failed. */
export const call = (to: string, data: string, options: CallOptions = {}) =>
  send(CALL_KIND.call, to, data, options);
export const staticcall = (to: string, data: string, options: CallOptions = {}) =>
  send(CALL_KIND.staticcall, to, data, options);
export const delegatecall = (to: string, data: string, options: CallOptions = {}) =>
  send(CALL_KIND.delegatecall, to, data, options);

/** Like `call`, but tells of a failure instead of throwing. */
export function tryCall(
  to: string,
  data: string,
  options: CallOptions = {},
): { success: boolean; data: string } {
  try {
    return { success: true, data: call(to, data, options) };
  } catch (thrown) {
    if (!isCallError(thrown)) throw thrown;
    return { success: false, data: thrown.payload };
  }
}

/** Whether something caught is what a failed call or creation threw: `payload` is the callee's revert data. */
export function isCallError(thrown: unknown): thrown is Error & { readonly payload: string } {
  return (
    thrown instanceof Error &&
    thrown.name === "CallError" &&
    typeof (thrown as { payload?: unknown }).payload === "string"
  );
}

type CreateOptions = { readonly value?: bigint; readonly salt?: string };

/** Deploys a copy of the code that an account has. With a salt the address is CREATE2's. */
export function create(template: string, args: string, { value = 0n, salt }: CreateOptions = {}): string {
  return hostText(OPERATION.create, template, args, value, salt);
}

/** Deploys a container with its arguments behind it. */
export function deploy(initCode: string, { value = 0n, salt }: CreateOptions = {}): string {
  return hostText(OPERATION.deploy, initCode, value, salt);
}

/** Takes over the code that an account has, from the next message on. Only an upgradeable contract can. */
export function upgrade(template: string): void {
  host(OPERATION.upgrade, template);
}

type Parsed = {
  readonly id: number;
  readonly kinds: readonly Kind[];
  readonly outputs: { readonly id: number; readonly kinds: readonly Kind[] };
  readonly isView: boolean;
};

type Client = Record<string, (...args: unknown[]) => unknown>;

/**
 * `iface({ balanceOf: "(address) view returns (uint256)" })` makes typed clients: `Token(address).balanceOf(…)`, and the
 * call data alone: `Token.encode.balanceOf(…)`.
 */
export function iface(signatures: Record<string, string>) {
  const encoders: Record<string, (...args: unknown[]) => string> = {};
  const functions = Object.entries(signatures).map(([name, signature]) => {
    const { id, kinds, outputs, isView } = hostJson<Parsed>(OPERATION.parseFunction, name, signature);
    const { packs } = compileTypes(id, kinds);
    const { unpack } = compileTypes(outputs.id, outputs.kinds);
    const kind = isView ? CALL_KIND.staticcall : CALL_KIND.call;
    const encode = (...args: unknown[]): string => {
      if (args.length !== packs.length) throw new TypeError(`${name} takes ${packs.length} arguments`);
      return hostText(OPERATION.encode, id, ...packs.map((pack, i) => applyPack(pack, args[i])));
    };
    encoders[name] = encode;
    const invoke = (to: string, options: CallOptions, args: unknown[]): unknown => {
      const returned = send(kind, to, encode(...args), options);
      if (outputs.kinds.length === 0) return undefined;
      const values = unpack(returned);
      return values.length === 1 ? values[0] : values;
    };
    return [name, invoke] as const;
  });
  const at = (to: string, options: CallOptions = {}): Client => {
    const client: Client = {};
    for (const [name, invoke] of functions) client[name] = (...args) => invoke(to, options, args);
    return client;
  };
  return Object.assign(at, { encode: encoders });
}
