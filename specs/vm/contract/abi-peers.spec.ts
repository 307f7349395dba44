/** Our decoder beside viem's and ethers', on data that encoders made and on damaged data. specs/vm/contract/abi.md#strict-decoding */
import { deepEqual, equal } from "node:assert/strict";
import { AbiCoder, ParamType } from "ethers";
import fc from "fast-check";
import { decodeAbiParameters } from "viem";
import { toHex } from "../../../primitives/bytes.ts";
import { compileDecoder } from "../../../vm/contract/abi-decode.ts";
import { compileEncoder } from "../../../vm/contract/abi-encode.ts";
import {
  AbiError,
  type AbiErrorDetail,
  type AbiParameter,
  type AbiValue,
  isNamed,
  toJsonParameter,
} from "../../../vm/contract/abi-type.ts";
import { abiParameters, fromViem, listsOf } from "./abi-samples.ts";

const coder = AbiCoder.defaultAbiCoder();

/**
 * What only we refuse: text that is no text, bits that a type does not have, bytes that are read twice, and arrays
 * longer than the data, which others find out when they get there.
 */
const STRICTER = new Set<AbiErrorDetail["code"]>([
  "ABI_DIRTY_BITS",
  "ABI_NOT_UTF8",
  "ABI_OVERLAPPING_DATA",
  "ABI_BAD_LENGTH",
  "ABI_BAD_OFFSET",
]);

const samples = abiParameters
  .filter((parameters) => parameters.length > 0)
  .chain((parameters) => listsOf(parameters).map((values) => ({ parameters, values })));

/** ethers' results in our form: lists for tuples without names, objects for others, addresses in lower case. */
function fromEthers(parameters: readonly AbiParameter[], values: ArrayLike<unknown>): AbiValue[] {
  return parameters.map(({ type }, i) => valueFromEthers(type, values[i]));
}

function valueFromEthers(type: AbiParameter["type"], value: unknown): AbiValue {
  if (type.kind === "address") return (value as string).toLowerCase();
  if (type.kind === "array")
    return Array.from(value as ArrayLike<unknown>, (element) => valueFromEthers(type.element, element));
  if (type.kind !== "tuple") return value as AbiValue;
  const list = fromEthers(type.members, value as ArrayLike<unknown>);
  if (!isNamed(type.members)) return list;
  return Object.fromEntries(type.members.map(({ name }, i) => [name, list[i] as AbiValue]));
}

type Decoded = { readonly values: AbiValue[] } | { readonly refused: string };

function attempt(decode: () => AbiValue[]): Decoded {
  try {
    return { values: decode() };
  } catch (error) {
    return { refused: error instanceof AbiError ? error.detail.code : "refused" };
  }
}

function decodings(parameters: readonly AbiParameter[], data: Uint8Array) {
  const json = parameters.map((parameter) => toJsonParameter(parameter));
  const types = json.map((parameter) => ParamType.from(parameter));
  return {
    ours: attempt(() => compileDecoder(parameters)(data)),
    viem: attempt(() => fromViem(parameters, decodeAbiParameters(json, data))),
    ethers: attempt(() => fromEthers(parameters, coder.decode(types, data).toArray(true))),
  };
}

describe("ABI: beside viem and ethers", () => {
  it("writes what ethers writes", () => {
    fc.assert(
      fc.property(samples, ({ parameters, values }) => {
        const types = parameters.map((parameter) => ParamType.from(toJsonParameter(parameter)));
        equal(toHex(compileEncoder(parameters)(values)), coder.encode(types, values));
      }),
      { numRuns: 150 },
    );
  });

  it("reads what both read", () => {
    fc.assert(
      fc.property(samples, ({ parameters, values }) => {
        const { ours, viem, ethers } = decodings(parameters, compileEncoder(parameters)(values));
        deepEqual([ours, viem, ethers], [{ values }, { values }, { values }]);
      }),
      { numRuns: 150 },
    );
  });

  it("reads nothing of damaged data that others read as something else, and refuses what both refuse", () => {
    const damaged = samples.chain(({ parameters, values }) => {
      const data = compileEncoder(parameters)(values);
      const words = Math.max(1, data.length >> 5);
      const edit = fc.tuple(
        fc.nat(words - 1).map((word) => Math.min(data.length - 1, 32 * word + 31)),
        fc.oneof(fc.nat(255), fc.constantFrom(0, 1, 32, 64, 96, 255)),
      );
      const anywhere = fc.tuple(fc.nat(data.length - 1), fc.nat(255));
      const edits = fc.array(fc.oneof(edit, anywhere), { maxLength: 3 });
      return fc.tuple(edits, fc.nat(data.length)).map(([changes, cut]) => {
        const copy = data.slice(0, changes.length === 0 ? cut : data.length);
        for (const [position, byte] of changes) copy[position] = byte;
        return { parameters, data: copy };
      });
    });
    let refused = 0;
    fc.assert(
      fc.property(damaged, ({ parameters, data }) => {
        const { ours, viem, ethers } = decodings(parameters, data);
        if ("values" in ours) {
          // viem refuses an empty array whose length ends the data; ethers wants 32 bytes for each element of an array.
          if ("values" in viem) deepEqual(viem, ours);
          if ("values" in ethers) deepEqual(ethers, ours);
          return;
        }
        refused++;
        const areBothContent = "values" in viem && "values" in ethers;
        equal(areBothContent && !STRICTER.has(ours.refused as AbiErrorDetail["code"]), false, ours.refused);
      }),
      { numRuns: 400 },
    );
    equal(refused > 20, true);
  });
});
