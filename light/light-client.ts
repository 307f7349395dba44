/** A client that believes nobody: it has a root, and moves to the next one by proof. Read this first. See specs/light/light-client.md. */
import { type CertificateOptions, type FinalityCertificate, verifyCertificate } from "./certificate.ts";
import {
  type LightExecutionHeader,
  type LightHeader,
  verifyExecutionHeader,
  verifyHeader,
} from "./finalized-block.ts";
import { proveValidatorSet, type SetProof } from "./set-change.ts";
import { type ValidatorSet, validatorSetRoot } from "./validator-set.ts";

/** A finalized block with everything that proves it to who trusts a validator set. */
export type FinalizedBlock = {
  readonly certificate: FinalityCertificate;
  /** Of the certificate's source. */
  readonly header: LightHeader;
  readonly execution: LightExecutionHeader;
  /** From the payload up to `header.bodyRoot`. */
  readonly executionBranch: readonly Uint8Array[];
};

/**
 * Returns when the block is final and carries this execution block; costs a signature check per group of votes.
 *
 * @param set the set with the root the client trusts.
 * @throws LightError
 */
export function verifyFinalizedBlock(
  { certificate, header, execution, executionBranch }: FinalizedBlock,
  set: ValidatorSet,
  trustedRoot: Uint8Array,
  options: CertificateOptions = {},
): void {
  verifyCertificate(certificate, set, trustedRoot, options);
  verifyHeader(header, certificate.source.root);
  verifyExecutionHeader(execution, executionBranch, header);
}

/** What a client trusts from now on. */
export type TrustedSet = { readonly set: ValidatorSet; readonly root: Uint8Array };

/**
 * The set of a finalized block's period. The block is verified first; what comes out may be trusted as the set
 * that proved it was.
 *
 * @throws LightError
 */
export function verifySetChange(
  block: FinalizedBlock,
  proof: SetProof,
  trusted: TrustedSet,
  options: CertificateOptions = {},
): TrustedSet {
  verifyFinalizedBlock(block, trusted.set, trusted.root, options);
  const set = proveValidatorSet(proof, block.header, trusted.set);
  return { set, root: validatorSetRoot(set) };
}
