/** The light client in the page: what it trusts, how far it has proven, and whether the node was caught lying. See specs/explorer/proof.md. */
import { signal } from "@preact/signals";
import { LightError } from "../../light/light-error.ts";
import type { Checkpoint } from "../../light/verified/finality-follower.ts";
import type { ProvenHeader } from "../../light/verified/proven-block.ts";
import type { EngineFiles } from "../../light/verified/verified-call.ts";
import type { Verifier } from "../../light/verified/verified-methods.ts";
import { createVerifier } from "../../light/verified/verifier.ts";
import { toNumber } from "../display.ts";
import { ask, NodeError } from "../node/json-rpc.ts";
import type { Hex } from "../node/objects.ts";
import { forgetCheckpoint, readCheckpoint, writeCheckpoint } from "./stored-checkpoint.ts";

export type ProofState =
  /** No proof was asked for yet. */
  | { readonly state: "starting" }
  /** The newest final block, proven, and by whom it began. */
  | {
      readonly state: "following";
      readonly final: ProvenHeader;
      readonly checkpoint: Checkpoint;
      readonly isFirstUse: boolean;
    }
  /** The node has nothing to prove with: a development chain, or one that is not final yet. */
  | { readonly state: "unavailable"; readonly reason: string }
  | { readonly state: "lie"; readonly error: LightError };

export const proof = signal<ProofState>({ state: "starting" });

let verifier: Verifier | undefined;
let isFirstUse = false;
let isAdvancing = false;

/** The verifier, while it follows. */
export function currentVerifier(): Verifier | undefined {
  return proof.value.state === "following" ? verifier : undefined;
}

/** Proves the newest final block, unless that is being done: called for every new block. */
export async function advanceProof(): Promise<void> {
  if (isAdvancing || proof.value.state === "lie") return;
  isAdvancing = true;
  try {
    verifier ??= await openVerifier();
    const final = await verifier.follower.advance();
    const checkpoint = verifier.follower.checkpoint();
    writeCheckpoint(checkpoint);
    const known = proof.value;
    if (known.state === "following" && known.final.hash === final.hash) return;
    proof.value = { state: "following", final, checkpoint, isFirstUse };
  } catch (error) {
    if (error instanceof LightError) proof.value = { state: "lie", error };
    else if (error instanceof NodeError) proof.value = { state: "unavailable", reason: error.message };
    // A node that is away is told of elsewhere.
  } finally {
    isAdvancing = false;
  }
}

/** Forgets what was trusted and believes this node's word for its validators, once. */
export function trustAnew(): void {
  forgetCheckpoint();
  verifier = undefined;
  proof.value = { state: "starting" };
  void advanceProof();
}

async function openVerifier(): Promise<Verifier> {
  const chainId = toNumber(await ask<Hex>("eth_chainId"));
  const stored = readCheckpoint(chainId);
  isFirstUse = stored === undefined;
  const checkpoint = stored ?? {
    chainId,
    root: (await ask<{ readonly root: Hex }>("jurat_getValidatorSet")).root,
  };
  return createVerifier((method, params) => ask(method, ...params), checkpoint, { loadEngine });
}

/** From the node; their hashes are constants of the protocol, so it cannot send others. */
async function loadEngine(): Promise<EngineFiles> {
  const [wasm, boot] = await Promise.all(["engine.wasm", "boot.bin"].map(fetchBytes));
  if (wasm === undefined || boot === undefined) throw new Error("the engine could not be loaded");
  return { wasm, boot };
}

async function fetchBytes(name: string): Promise<Uint8Array> {
  const response = await fetch(name);
  if (!response.ok) throw new Error(`${name}: ${response.statusText}`);
  return new Uint8Array(await response.arrayBuffer());
}
