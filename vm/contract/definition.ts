/** What a contract declared while its module was evaluated, with codecs that are kept. See specs/vm/contract/host-functions.md#declarations. */
import { concatBytes, EMPTY_BYTES } from "../../primitives/bytes.ts";
import { type AbiDecoder, compileDecoder } from "./abi-decode.ts";
import { type AbiEncoder, compileEncoder } from "./abi-encode.ts";
import type { EncodedEvent, JsonAbiItem } from "./abi-item.ts";
import type { AbiParameter, AbiValue } from "./abi-type.ts";
import type { PlacedFields } from "./storage-json.ts";
import type { Cell } from "./storage-layout.ts";

/** A list of types, with the selector its encoding begins with if any. Codecs are compiled when first used. */
export class TypeList {
  readonly parameters: readonly AbiParameter[];
  readonly #selector: Uint8Array;
  #encoder: AbiEncoder | undefined;
  #decoder: AbiDecoder | undefined;

  constructor(parameters: readonly AbiParameter[], selector: Uint8Array = EMPTY_BYTES) {
    this.parameters = parameters;
    this.#selector = selector;
  }

  /** @throws AbiError */
  encode(values: readonly AbiValue[]): Uint8Array {
    this.#encoder ??= compileEncoder(this.parameters);
    const data = this.#encoder(values);
    return this.#selector.length === 0 ? data : concatBytes(this.#selector, data);
  }

  /** @throws AbiError */
  decode(data: Uint8Array): AbiValue[] {
    this.#decoder ??= compileDecoder(this.parameters);
    return this.#decoder(data);
  }
}

/** Something that can be entered: a function, the constructor, `receive`, `fallback`. */
export type Entry = {
  /** What the guest's entry `call` is told; see ENTRY. */
  readonly index: number;
  readonly isPayable: boolean;
  /** Changes nothing, as if called by staticcall. */
  readonly isView: boolean;
  /** Whether it may be entered while the contract is already running. */
  readonly isReentrant: boolean;
  readonly inputs: TypeList;
  readonly outputs: TypeList;
};

export type DeclaredEvent = {
  readonly inputs: readonly AbiParameter[];
  readonly encode: (values: readonly AbiValue[]) => EncodedEvent;
};

/** Where a declaration of storage begins, whether it ends with the transaction, and its fields, made once. */
export type DeclaredStorage = Cell & { readonly isTransient: boolean; readonly fields: readonly Cell[] };

export type ContractDefinition = {
  readonly name: string;
  /** Whether it may replace its own code. */
  readonly isUpgradeable: boolean;
  readonly construct: Entry | undefined;
  /** Of the functions, in the order they are declared: the first four bytes of call data as a number. */
  readonly selectors: readonly number[];
  readonly functionOf: (selector: number) => Entry | undefined;
  readonly receive: Entry | undefined;
  readonly fallback: Entry | undefined;
  readonly events: readonly DeclaredEvent[];
  readonly errors: readonly TypeList[];
  readonly storages: readonly DeclaredStorage[];
  /** Lists the module had parsed for `abi` and for calls. */
  readonly lists: readonly TypeList[];
  readonly abi: readonly JsonAbiItem[];
  readonly layout: readonly PlacedFields[];
};
