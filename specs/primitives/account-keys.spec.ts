import { deepEqual, equal, throws } from "node:assert/strict";
import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import fc from "fast-check";
import { create2Address, createAddress, parseAddress, toChecksumAddress } from "../../primitives/address.ts";
import { type Address, bigIntToBytes, fromHex, type Hash } from "../../primitives/bytes.ts";
import { keccak256Hex } from "../../primitives/hash.ts";
import {
  isValidPrivateKey,
  privateKeyToAddress,
  recoverAddress,
  SECP256K1_HALF_ORDER,
  SECP256K1_ORDER,
  signRecoverable,
} from "../../primitives/secp256k1.ts";
import { AmountError, formatUnits, parseUnits } from "../../primitives/units.ts";
import { readJson, vectorsPath } from "../support/vectors.ts";

const key = bigIntToBytes(1n, 32);
const hash = new Uint8Array(32).fill(7);

function readGzip<T>(path: string): T {
  return JSON.parse(gunzipSync(readFileSync(path)).toString()) as T;
}

describe("account keys", () => {
  it("give the address every Ethereum tool gives for private key 1", () => {
    equal(privateKeyToAddress(key), "0x7e5f4552091a69125d5dfcb7b8c2659029395bdf");
  });

  it("sign with low s, and are recovered from the signature", () => {
    fc.assert(
      fc.property(
        fc.bigInt({ min: 1n, max: SECP256K1_ORDER - 1n }),
        fc.uint8Array({ minLength: 32, maxLength: 32 }),
        (k, digest) => {
          const privateKey = bigIntToBytes(k, 32);
          const { r, s, yParity } = signRecoverable(digest, privateKey);
          equal(s <= SECP256K1_HALF_ORDER, true);
          equal(recoverAddress(digest, r, s, yParity), privateKeyToAddress(privateKey));
          // The malleable twin recovers to the same account: refusing it is the transaction codec's rule.
          equal(recoverAddress(digest, r, SECP256K1_ORDER - s, 1 - yParity), privateKeyToAddress(privateKey));
        },
      ),
      { numRuns: 20 },
    );
  });

  it("are not recovered from values out of range", () => {
    const { r, s, yParity } = signRecoverable(hash, key);
    for (const [badR, badS, badParity] of [
      [0n, s, yParity],
      [SECP256K1_ORDER, s, yParity],
      [r, 0n, yParity],
      [r, SECP256K1_ORDER, yParity],
      [r, s, 2],
      [5n, s, yParity],
    ] as const) {
      equal(recoverAddress(hash, badR, badS, badParity), undefined);
    }
  });

  it("are 32 bytes between 1 and the order", () => {
    deepEqual(
      [0n, 1n, SECP256K1_ORDER - 1n, SECP256K1_ORDER].map((value) =>
        isValidPrivateKey(bigIntToBytes(value, 32)),
      ),
      [false, true, true, false],
    );
    equal(isValidPrivateKey(new Uint8Array(31).fill(1)), false);
  });
});

describe("addresses", () => {
  it("carry the EIP-55 checksum of the standard's examples", function () {
    const { checksummed } = readJson<{ checksummed: Address[] }>(vectorsPath(this, "derived", "erc55.json"));
    equal(checksummed.length, 8);
    for (const address of checksummed) {
      const spelled = toChecksumAddress(address.toLowerCase() as Address);
      if (address !== address.toLowerCase()) equal(spelled, address);
      equal(parseAddress(spelled), address.toLowerCase());
    }
  });

  it("are refused with a wrong checksum, length or digit", () => {
    for (const text of [
      "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAeD",
      "0x5aaeb6053f3e94c9b9a09f33669435e7ef1beae",
      "5aaeb6053f3e94c9b9a09f33669435e7ef1beaed",
      "0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaeg",
    ]) {
      equal(parseAddress(text), undefined);
    }
  });

  it("of created contracts match ethers' CREATE and CREATE2 cases", function () {
    type Creates<T> = { sender: string; creates: T[] }[];
    const folder = vectorsPath(this, "ethers-testcases", "testcases");
    const lower = (text: string) => text.toLowerCase() as Address;
    let count = 0;
    for (const { sender, creates } of readGzip<Creates<{ nonce: number; address: string }>>(
      `${folder}/create.json.gz`,
    )) {
      for (const { nonce, address } of creates) {
        equal(createAddress(lower(sender), BigInt(nonce)), lower(address));
        count++;
      }
    }
    type Create2 = { salt: Hash; initCodeHash: Hash; initCode: string; address: string };
    for (const { sender, creates } of readGzip<Creates<Create2>>(`${folder}/create2.json.gz`)) {
      for (const { salt, initCode, address } of creates) {
        equal(create2Address(lower(sender), salt, keccak256Hex(fromHex(initCode))), lower(address));
        count++;
      }
    }
    equal(count, 288);
  });
});

describe("amounts", () => {
  it("are read and written exactly", () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 2n ** 256n - 1n }), fc.nat(30), (value, decimals) => {
        equal(parseUnits(formatUnits(value, decimals), decimals), value);
      }),
    );
    equal(formatUnits(1_500_000_000_000_000_000n, 18), "1.5");
    equal(formatUnits(-5n, 1), "-0.5");
  });

  it("are refused when they are no number or too precise", () => {
    for (const text of ["", "-1", "1e3", "0x10", "1.", ".5", "1,5", "1.2.3"]) {
      throws(() => parseUnits(text, 18), AmountError);
    }
    throws(() => parseUnits("0.1234", 3), {
      detail: { code: "AMOUNT_TOO_PRECISE", text: "0.1234", decimals: 3 },
    });
  });
});
