/** The laws that hold between our ABI codec and viem's, ethers' and Solidity's, in one size or another. specs/vm/contract/abi.md#strict-decoding */
import { deepEqual, equal, ok } from "node:assert/strict";
import { AbiCoder, ParamType } from "ethers";
import fc from "fast-check";
import { decodeAbiParameters, encodeAbiParameters } from "viem";
import { type Hex, toHex } from "../../../primitives/bytes.ts";
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
import { compileSolidityCodec } from "./solidity-codec.ts";

export type LawSize = { readonly runs: number; readonly seed: number };

const coder = AbiCoder.defaultAbiCoder();

/**
 * What Solidity takes and we refuse: text that is no text, which has no value in JavaScript, and bytes that are read
 * twice, whose decoding grows beyond all that paid for it.
 */
const STRICTER_THAN_SOLIDITY = new Set<AbiErrorDetail["code"]>(["ABI_NOT_UTF8", "ABI_OVERLAPPING_DATA"]);

const lists = abiParameters.filter((parameters) => parameters.length > 0);
const samplesOf = (parameters: readonly AbiParameter[]) =>
  listsOf(parameters).map((values) => ({ parameters, values }));
const samples = lists.chain(samplesOf);

/** Encoded values of `parameters`, with up to three bytes changed, cut short or followed by more. */
function damagedOf(sample: { readonly parameters: readonly AbiParameter[]; readonly values: AbiValue[] }) {
  const { parameters, values } = sample;
  const data = compileEncoder(parameters)(values);
  const words = Math.max(1, data.length >> 5);
  const edit = fc.tuple(
    fc.nat(words - 1).map((word) => Math.min(data.length - 1, 32 * word + 31)),
    fc.oneof(fc.nat(255), fc.constantFrom(0, 1, 32, 64, 96, 255)),
  );
  const anywhere = fc.tuple(fc.nat(data.length - 1), fc.nat(255));
  const edits = fc.array(fc.oneof(edit, anywhere), { maxLength: 3 });
  return fc.tuple(edits, fc.nat(data.length), fc.nat(40)).map(([changes, cut, more]) => {
    const isCut = changes.length === 0;
    const copy = new Uint8Array((isCut ? cut : data.length) + (more < 4 ? 32 * more : 0));
    copy.set(isCut ? data.subarray(0, cut) : data);
    for (const [position, byte] of changes) copy[position] = byte;
    return { parameters, data: copy };
  });
}

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

/** Decodes `data`, and refuses what its own encoder does not make of the values again. */
function strictly<T>(
  data: Uint8Array,
  decode: () => T,
  encode: (values: T) => Hex,
  plain: (values: T) => AbiValue[],
) {
  const verdict = attempt(() => {
    const values = decode();
    if (encode(values) !== toHex(data)) throw new Error("another encoding of these values");
    return plain(values);
  });
  return "values" in verdict ? verdict : "refused";
}

function codecsOf(parameters: readonly AbiParameter[]) {
  const json = parameters.map((parameter) => toJsonParameter(parameter));
  const types = json.map((parameter) => ParamType.from(parameter));
  return { json, types, decode: compileDecoder(parameters), encode: compileEncoder(parameters) };
}

/** On damaged data, all three accept the same values or all three refuse: each as strict as its own encoder. */
export function agreeStrictly({ runs, seed }: LawSize): void {
  let [accepted, refused] = [0, 0];
  fc.assert(
    fc.property(samples.chain(damagedOf), ({ parameters, data }) => {
      const { json, types, decode, encode } = codecsOf(parameters);
      const ours = strictly(
        data,
        () => decode(data),
        (values) => toHex(encode(values)),
        (values) => values,
      );
      const viem = strictly(
        data,
        () => decodeAbiParameters(json, data) as readonly unknown[],
        (values) => encodeAbiParameters(json, values as never),
        (values) => fromViem(parameters, values),
      );
      const ethers = strictly(
        data,
        () => coder.decode(types, data).toArray(true),
        (values) => coder.encode(types, values) as Hex,
        (values) => fromEthers(parameters, values),
      );
      deepEqual({ viem, ethers }, { viem: ours, ethers: ours });
      if (ours === "refused") refused++;
      else accepted++;
    }),
    { numRuns: runs, seed },
  );
  ok(accepted * 20 > runs && refused * 20 > runs, `${accepted} accepted, ${refused} refused`);
}

/** What ours and another read of damaged data, strict or not, is never two things. */
export function neverDiffer({ runs, seed }: LawSize): void {
  fc.assert(
    fc.property(samples.chain(damagedOf), ({ parameters, data }) => {
      const { json, types, decode } = codecsOf(parameters);
      const ours = attempt(() => decode(data));
      if (!("values" in ours)) return;
      const viem = attempt(() => fromViem(parameters, decodeAbiParameters(json, data)));
      const ethers = attempt(() => fromEthers(parameters, coder.decode(types, data).toArray(true)));
      if ("values" in viem) deepEqual(viem, ours);
      if ("values" in ethers) deepEqual(ethers, ours);
    }),
    { numRuns: runs, seed },
  );
}

/** Of what encoders wrote, all three read the same, and write it alike. */
export function readWhatIsWritten({ runs, seed }: LawSize): void {
  fc.assert(
    fc.property(samples, ({ parameters, values }) => {
      const { json, types, decode, encode } = codecsOf(parameters);
      const data = encode(values);
      equal(toHex(data), coder.encode(types, values));
      deepEqual(decode(data), values);
      deepEqual(fromViem(parameters, decodeAbiParameters(json, data)), values);
      deepEqual(fromEthers(parameters, coder.decode(types, data).toArray(true)), values);
    }),
    { numRuns: runs, seed },
  );
}

/** Types that one contract decodes; more make it too large for solc to compile quickly. */
const LISTS_PER_CONTRACT = 12;

/** Ours refuses what the decoder that solc compiles refuses, accepts what it accepts but for two rules, with its values. */
export async function agreeWithSolidity({ runs, seed }: LawSize): Promise<void> {
  const narrow = lists.filter((parameters) => parameters.length <= 2);
  const chosen = fc.sample(narrow, { numRuns: LISTS_PER_CONTRACT, seed });
  const decodeAt = await compileSolidityCodec(chosen);
  const inputs = fc.nat(chosen.length - 1).chain((index) =>
    samplesOf(chosen[index]!)
      .chain(damagedOf)
      .map((damaged) => ({ ...damaged, index })),
  );
  let [accepted, refused] = [0, 0];
  for (const { index, parameters, data } of fc.sample(inputs, { numRuns: runs, seed })) {
    const { decode, encode } = codecsOf(parameters);
    const ours = attempt(() => decode(data));
    const theirs = await decodeAt(index, data);
    const told = `${JSON.stringify(parameters.map((one) => toJsonParameter(one)))} ${toHex(data)}`;
    if ("values" in ours) {
      equal(theirs, toHex(encode(ours.values)), told);
      accepted++;
    } else if (!STRICTER_THAN_SOLIDITY.has(ours.refused as AbiErrorDetail["code"])) {
      equal(theirs, undefined, `${ours.refused} ${told}`);
      refused++;
    }
  }
  ok(accepted * 20 > runs && refused * 20 > runs, `${accepted} accepted, ${refused} refused`);
}
