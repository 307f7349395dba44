/** What each of Ethereum's clients is made to do on a real node, and what it must find. Prose: specs/rpc/clients.md. */
import type { Abi, Hex } from "viem";
import { MULTICALL3_ADDRESS } from "../../../contracts/build/system-image.ts";
import { fromHex } from "../../../primitives/bytes.ts";
import { verifyAccountProof } from "../../../vm/state/proof.ts";

export const MULTICALL3 = MULTICALL3_ADDRESS;
export const TOKEN_ARGUMENTS = ["Tour", "TUR", 1000n] as const;
/** What the owner transfers, and what a permit allows. */
export const TRANSFERRED = 40n;
export const ALLOWED = 7n;
/** Far enough ahead for any run. */
export const DEADLINE = 10_000_000_000n;
export const GWEI = 10n ** 9n;

export type TourWorld = {
  readonly url: string;
  readonly webSocketUrl: string;
  readonly chainId: number;
  readonly abi: Abi;
  readonly bytecode: Hex;
  readonly key: Hex;
  readonly owner: Hex;
  /** Where tokens and value go; nobody else sends to it. */
  readonly recipient: Hex;
};

/** What a client saw; the same for all. */
export type Findings = {
  readonly received: bigint;
  /** Values of the token's Transfer events to the recipient, by a filter and by a subscription. */
  readonly filtered: readonly bigint[];
  readonly subscribed: bigint;
  readonly allowance: bigint;
  /** Balances of owner and recipient, read in one call. */
  readonly multicall: readonly bigint[];
  readonly isProven: boolean;
  /** Whether the estimate was enough and the fees were taken. */
  readonly isEstimated: boolean;
  /** Value of the transaction that was mined of two with the same nonce, sent behind a gap. */
  readonly replacement: bigint;
};

export const EXPECTED: Findings = {
  received: TRANSFERRED,
  filtered: [TRANSFERRED],
  subscribed: TRANSFERRED,
  allowance: ALLOWED,
  multicall: [1000n - TRANSFERRED, TRANSFERRED],
  isProven: true,
  isEstimated: true,
  replacement: 2n,
};

/** Typed data of ERC-2612, as every client takes it. */
export function permitOf({ chainId, owner, recipient }: TourWorld, token: Hex) {
  return {
    domain: { name: TOKEN_ARGUMENTS[0], version: "1", chainId, verifyingContract: token },
    types: {
      Permit: [
        { name: "owner", type: "address" },
        { name: "spender", type: "address" },
        { name: "value", type: "uint256" },
        { name: "nonce", type: "uint256" },
        { name: "deadline", type: "uint256" },
      ],
    },
    primaryType: "Permit" as const,
    message: { owner, spender: recipient, value: ALLOWED, nonce: 0n, deadline: DEADLINE },
  };
}

/** The members of the domain, for clients that want them told. */
export const DOMAIN_TYPE = [
  { name: "name", type: "string" },
  { name: "version", type: "string" },
  { name: "chainId", type: "uint256" },
  { name: "verifyingContract", type: "address" },
];

/** Whether an account proof shows a contract under the state root. */
export function isProvenContract(
  stateRoot: string,
  address: string,
  accountProof: readonly string[],
): boolean {
  const nodes = accountProof.map((node) => fromHex(node as Hex));
  const account = verifyAccountProof(stateRoot as Hex, address.toLowerCase() as Hex, nodes);
  return account !== undefined && account.nonce === 1n;
}
