/** The Web3Signer API, as far as validators of this chain need it. See specs/node/remote-signing.md#our-signer. */
import { blsSign } from "../../primitives/bls.ts";
import { type Hex, toHex, utf8ToBytes } from "../../primitives/bytes.ts";
import { badRequest, notFound, RestError } from "../rest/rest-error.ts";
import { get, json, post, type Route } from "../rest/route.ts";
import type { SigningRefusal, SlashingProtection } from "../storage/slashing-protection.ts";
import {
  decodeSigningRequest,
  type SigningChain,
  type SigningMessage,
  SigningMessageError,
} from "../validator/signing-message.ts";

export type SignerView = {
  readonly chain: SigningChain;
  readonly secretKeys: ReadonlyMap<Hex, Uint8Array>;
  readonly protection: SlashingProtection;
  onSigned(publicKey: Hex, type: SigningMessage["type"]): void;
  onRefused(publicKey: Hex, type: SigningMessage["type"], refusal: SigningRefusal): void;
};

export function signerRoutes(view: SignerView): readonly Route[] {
  return [
    get("/upcheck", () => ({
      kind: "bytes",
      bytes: utf8ToBytes("OK"),
      headers: { "content-type": "text/plain; charset=utf-8" },
    })),
    get("/api/v1/eth2/publicKeys", () => json([...view.secretKeys.keys()])),
    post("/api/v1/eth2/sign/{identifier}", async ({ path, body }) =>
      json({ signature: toHex(await sign(view, String(path["identifier"]), body)) }),
    ),
  ];
}

/** The protection is on disk before the signature is made, as in a node. @throws RestError 400, 404, 412 */
async function sign(view: SignerView, identifier: string, body: unknown): Promise<Uint8Array> {
  const publicKey = `0x${identifier.replace(/^0x/, "").toLowerCase()}` as Hex;
  const secretKey = view.secretKeys.get(publicKey);
  if (secretKey === undefined) throw notFound(`This signer has no key ${identifier.slice(0, 100)}`);
  const { message, signingRoot } = decoded(body, view.chain);
  const refusal = await protect(view.protection, publicKey, message, signingRoot);
  if (refusal !== undefined) {
    view.onRefused(publicKey, message.type, refusal);
    throw new RestError(412, `Signing it could be slashed: ${JSON.stringify(refusal)}`);
  }
  view.onSigned(publicKey, message.type);
  return blsSign(secretKey, signingRoot);
}

function decoded(body: unknown, chain: SigningChain) {
  try {
    return decodeSigningRequest(body, chain);
  } catch (error) {
    if (!(error instanceof SigningMessageError)) throw error;
    throw badRequest(`Invalid request to sign: ${error.message}`);
  }
}

async function protect(
  protection: SlashingProtection,
  publicKey: Hex,
  message: SigningMessage,
  root: Uint8Array,
): Promise<SigningRefusal | undefined> {
  const signingRoot = toHex(root);
  if (message.type === "BLOCK_V2") {
    return protection.checkAndInsertBlock({ publicKey, slot: message.header.slot, signingRoot });
  }
  if (message.type !== "ATTESTATION") return undefined;
  const { source, target } = message.attestation;
  const vote = { publicKey, sourceEpoch: source.epoch, targetEpoch: target.epoch, signingRoot };
  const [refusal] = await protection.checkAndInsertAttestations([vote]);
  return refusal;
}
