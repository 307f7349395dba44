/** Reads human-readable ABI signatures: functions, events, errors, lists of types. See specs/vm/contract/abi.md. */
import { AbiError, type AbiParameter, type AbiType } from "./abi-type.ts";

export type StateMutability = "pure" | "view" | "nonpayable" | "payable";

export type AbiFunction = {
  readonly name: string;
  readonly inputs: readonly AbiParameter[];
  readonly outputs: readonly AbiParameter[];
  readonly stateMutability: StateMutability;
};

export type AbiEvent = {
  readonly name: string;
  readonly inputs: readonly AbiParameter[];
  readonly anonymous: boolean;
};

export type AbiErrorItem = { readonly name: string; readonly inputs: readonly AbiParameter[] };

/** Characters of one signature; the longest in common use is below 1 000. */
export const SIGNATURE_LIMIT = 4_096;
/** Nesting of tuples and arrays. Solidity's own compiler gives up near 15. */
export const ABI_DEPTH_LIMIT = 16;
/** Elements of `T[n]`; keeps the size of every static type far below 2^53. */
export const FIXED_ARRAY_LIMIT = 65_536;
/** Bytes of the largest static type. */
const STATIC_SIZE_LIMIT = 1 << 24;

/**
 * `name(inputs) modifiers returns (outputs)`; the name may be missing, as may everything after the inputs.
 * @throws AbiError ABI_SIGNATURE
 */
export function parseFunction(signature: string): AbiFunction {
  const reader = new SignatureReader(signature);
  reader.skipWord("function");
  const name = reader.word();
  const inputs = reader.parameters();
  let stateMutability: StateMutability = "nonpayable";
  let outputs: readonly AbiParameter[] = [];
  for (let word = reader.word(); word !== ""; word = reader.word()) {
    if (word === "returns") {
      outputs = reader.parameters();
      break;
    }
    if (word === "pure" || word === "view" || word === "payable") stateMutability = word;
    else if (word !== "external" && word !== "public" && word !== "nonpayable") {
      reader.fail(`unknown modifier "${word}"`);
    }
  }
  reader.end();
  return { name, inputs, outputs, stateMutability };
}

/** `Transfer(address indexed from, uint256 value)`, with `anonymous` after it or not. @throws AbiError */
export function parseEvent(signature: string): AbiEvent {
  const reader = new SignatureReader(signature);
  reader.skipWord("event");
  const name = reader.identifier();
  const inputs = reader.parameters(true);
  const anonymous = reader.skipWord("anonymous");
  reader.end();
  const indexedLimit = anonymous ? 4 : 3;
  if (inputs.filter(({ indexed }) => indexed).length > indexedLimit) {
    reader.fail(`more than ${indexedLimit} indexed parameters`);
  }
  return { name, inputs, anonymous };
}

/** `InsufficientBalance(uint256 available)`. @throws AbiError */
export function parseError(signature: string): AbiErrorItem {
  const reader = new SignatureReader(signature);
  reader.skipWord("error");
  const name = reader.identifier();
  const inputs = reader.parameters();
  reader.end();
  return { name, inputs };
}

/** `address to, uint256 value`, in parentheses or not; names are optional. @throws AbiError */
export function parseParameters(text: string): readonly AbiParameter[] {
  const trimmed = text.trim();
  const isWrapped = trimmed.startsWith("(") && closesAtEnd(trimmed);
  const reader = new SignatureReader(isWrapped ? trimmed : `(${trimmed})`);
  const parameters = reader.parameters();
  reader.end();
  return parameters;
}

/** Whether the parenthesis that opens `text` is the one that closes it, unlike in `(uint a) x, (uint b) y`. */
function closesAtEnd(text: string): boolean {
  let depth = 0;
  for (let i = 0; i < text.length; i++) {
    if (text[i] === "(") depth++;
    if (text[i] === ")" && --depth === 0) return i === text.length - 1;
  }
  return false;
}

/** One type: `uint256`, `(address a, bool b)[]`. @throws AbiError */
export function parseType(text: string): AbiType {
  const reader = new SignatureReader(text);
  const type = reader.type(0);
  reader.end();
  return type;
}

const DATA_LOCATIONS = new Set(["memory", "calldata", "storage"]);
const SPACE = /\s*/y;
const ARRAY_SUFFIX = /\[(\d{0,6})\]/y;
const BLANK = 0x20;
const FIRST_WIDE = 0x80;

function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39;
}

/** Letters, digits, `_` and `$`. */
function isWordCharacter(code: number): boolean {
  const lower = code | 0x20;
  return (lower >= 0x61 && lower <= 0x7a) || isDigit(code) || code === 0x5f || code === 0x24;
}

/** Every type that is one word. Read many times over when a contract is loaded. */
const ELEMENTARY: ReadonlyMap<string, AbiType> = elementaryTypes();

function elementaryTypes(): Map<string, AbiType> {
  const types = new Map<string, AbiType>();
  for (const kind of ["address", "bool", "bytes", "string"] as const) types.set(kind, { kind });
  types.set("function", { kind: "fixedBytes", size: 24, isFunction: true });
  for (const kind of ["uint", "int"] as const) {
    types.set(kind, { kind, bits: 256 });
    for (let bits = 8; bits <= 256; bits += 8) types.set(`${kind}${bits}`, { kind, bits });
  }
  for (let size = 1; size <= 32; size++) {
    types.set(`bytes${size}`, { kind: "fixedBytes", size, isFunction: false });
  }
  return types;
}

/** A cursor over a signature. The methods consume what they read. */
class SignatureReader {
  readonly #text: string;
  #position = 0;

  constructor(text: string) {
    this.#text = text;
    if (text.length > SIGNATURE_LIMIT) this.fail(`longer than ${SIGNATURE_LIMIT} characters`);
  }

  fail(problem: string): never {
    throw new AbiError({
      code: "ABI_SIGNATURE",
      text: this.#text.slice(0, 120),
      position: this.#position,
      problem,
    });
  }

  /** The next word, or the empty string when no word is next. */
  word(): string {
    this.#skipSpace();
    const start = this.#position;
    if (isDigit(this.#text.charCodeAt(start))) return "";
    while (isWordCharacter(this.#text.charCodeAt(this.#position))) this.#position++;
    return this.#text.slice(start, this.#position);
  }

  skipWord(expected: string): boolean {
    const start = this.#position;
    if (this.word() === expected) return true;
    this.#position = start;
    return false;
  }

  identifier(): string {
    const name = this.word();
    return name === "" ? this.fail("expected a name") : name;
  }

  end(): void {
    this.#skipSpace();
    if (this.#text[this.#position] === ";") this.#position++;
    this.#skipSpace();
    if (this.#position !== this.#text.length) this.fail("expected the end");
  }

  parameters(isEvent = false): readonly AbiParameter[] {
    return this.#list(isEvent, 0);
  }

  type(depth: number): AbiType {
    if (depth > ABI_DEPTH_LIMIT) this.fail(`nested deeper than ${ABI_DEPTH_LIMIT}`);
    this.skipWord("tuple");
    this.#skipSpace();
    let type: AbiType;
    if (this.#text[this.#position] === "(") {
      const members = this.#list(false, depth + 1);
      if (members.length === 0) this.fail("a tuple has members");
      type = { kind: "tuple", members };
    } else {
      type = this.#elementary(this.identifier());
    }
    return this.#arraySuffixes(type, depth);
  }

  #arraySuffixes(element: AbiType, depth: number): AbiType {
    let type = element;
    for (let suffix = this.#arraySuffix(); suffix !== null; suffix = this.#arraySuffix()) {
      if (++depth > ABI_DEPTH_LIMIT) this.fail(`nested deeper than ${ABI_DEPTH_LIMIT}`);
      const length = suffix[1] === "" ? undefined : Number(suffix[1]);
      if (length === 0) this.fail("an array of no elements");
      if (length !== undefined && length > FIXED_ARRAY_LIMIT) this.fail("array too long");
      type = { kind: "array", element: type, length };
      if (flatSize(type) > STATIC_SIZE_LIMIT) this.fail("type too large");
    }
    return type;
  }

  #list(isEvent: boolean, depth: number): readonly AbiParameter[] {
    this.#expect("(");
    this.#skipSpace();
    if (this.#text[this.#position] === ")") {
      this.#position++;
      return [];
    }
    const parameters: AbiParameter[] = [];
    for (;;) {
      parameters.push(this.#parameter(isEvent, depth));
      this.#skipSpace();
      const next = this.#text[this.#position];
      if (next !== "," && next !== ")") this.fail('expected "," or ")"');
      this.#position++;
      if (next === ")") return parameters;
    }
  }

  #parameter(isEvent: boolean, depth: number): AbiParameter {
    const type = this.type(depth);
    let name = this.word();
    const indexed = isEvent && name === "indexed";
    if (indexed || DATA_LOCATIONS.has(name)) name = this.word();
    // Decoded tuples are objects keyed by these names, and a setter on Object.prototype must not be one.
    if (name === "__proto__") this.fail('a parameter is named "__proto__"');
    return { name, type, indexed };
  }

  #elementary(name: string): AbiType {
    return ELEMENTARY.get(name) ?? this.fail(`unknown type "${name}"`);
  }

  #expect(character: string): void {
    this.#skipSpace();
    if (this.#text[this.#position] !== character) this.fail(`expected "${character}"`);
    this.#position++;
  }

  #arraySuffix(): RegExpExecArray | null {
    return this.#text[this.#position] === "[" ? this.#match(ARRAY_SUFFIX) : null;
  }

  /** Nearly always there is nothing to skip, or one blank. */
  #skipSpace(): void {
    if (this.#text.charCodeAt(this.#position) === BLANK) this.#position++;
    const next = this.#text.charCodeAt(this.#position);
    if (next <= BLANK || next >= FIRST_WIDE) this.#match(SPACE);
  }

  #match(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = this.#position;
    const match = pattern.exec(this.#text);
    if (match !== null) this.#position = pattern.lastIndex;
    return match;
  }
}

/** A lower bound of a value's encoded size; a product, so that `[65536][65536]` is seen without building it. */
function flatSize(type: AbiType): number {
  if (type.kind === "array") return (type.length ?? 1) * flatSize(type.element);
  if (type.kind === "tuple") return type.members.reduce((size, member) => size + flatSize(member.type), 0);
  return 32;
}
