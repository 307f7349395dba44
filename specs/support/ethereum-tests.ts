/** The BlockchainTests of ethereum/tests: a genesis state and blocks on it, valid and invalid. */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { type Address, fromHex, type Hash, toHash } from "../../primitives/bytes.ts";
import type { GenesisAllocation } from "../../vm/genesis.ts";
import { readJson, vectorsPath } from "./vectors.ts";

type HeaderFields = Readonly<Record<string, string>> & { readonly hash: Hash; readonly stateRoot: Hash };
type BlockVector = {
  readonly rlp: string;
  readonly expectException?: string;
  readonly blockHeader?: HeaderFields;
  readonly rlp_decoded?: { readonly blockHeader: HeaderFields };
};
type AccountVector = {
  readonly balance: string;
  readonly nonce: string;
  readonly code: string;
  readonly storage: Readonly<Record<string, string>>;
};
export type BlockchainCase = {
  readonly name: string;
  readonly genesisRLP: string;
  readonly genesisBlockHeader: HeaderFields;
  readonly pre: Readonly<Record<Address, AccountVector>>;
  readonly blocks: readonly BlockVector[];
};

const FOLDERS = [
  ["ValidBlocks", "bcStateTests"],
  ["ValidBlocks", "bcValidBlockTest"],
  ["ValidBlocks", "bcEIP1559"],
  ["InvalidBlocks", "bcInvalidHeaderTest"],
  ["InvalidBlocks", "bcEIP1559"],
] as const;

/** One case after another, file by file, so that only one file is in memory. */
export function* blockchainCases(context: Mocha.Context): Generator<BlockchainCase> {
  for (const path of FOLDERS) {
    const folder = vectorsPath(context, "ethereum-tests", "BlockchainTests", ...path);
    for (const file of readdirSync(folder).toSorted()) {
      const cases = readJson<Record<string, Omit<BlockchainCase, "name">>>(join(folder, file));
      for (const [name, vector] of Object.entries(cases)) yield { ...vector, name: `${file} ${name}` };
    }
  }
}

/** The header's hash as the vectors give it, for valid and invalid blocks alike. */
export function expectedHash(block: BlockVector): Hash | undefined {
  return (block.blockHeader ?? block.rlp_decoded?.blockHeader)?.hash;
}

/** Accounts as genesis files and vectors spell them; addresses may lack their 0x. */
export function allocationOf(accounts: Readonly<Record<string, Partial<AccountVector>>>): GenesisAllocation {
  return new Map(
    Object.entries(accounts).map(
      ([address, { balance = "0x0", nonce = "0x0", code = "0x", storage = {} }]) => [
        (address.startsWith("0x") ? address : `0x${address}`).toLowerCase() as Address,
        {
          balance: BigInt(balance),
          nonce: BigInt(nonce),
          code: fromHex(code),
          storage: new Map(
            Object.entries(storage).map(([slot, value]) => [toHash(BigInt(slot)), BigInt(value)] as const),
          ),
        },
      ],
    ),
  );
}
