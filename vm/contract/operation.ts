/** Numbers of the operations behind the one host function; `chain:std` is built with them. See specs/vm/contract/host-functions.md. */

/** They are part of the protocol: a number is never reused. Arguments are listed beside each. */
export const OPERATION = {
  // Declarations: while a module is evaluated, never later.
  /** name, flags → nothing. Flags are DECLARES. */
  declareContract: 1,
  /** signature, payable → kinds of the arguments. */
  declareConstructor: 2,
  /** name, signature, mutability, reentrancy → kinds of arguments and results. */
  declareFunction: 3,
  /** signature → the event's number and kinds. */
  declareEvent: 4,
  /** signature → the error's number, that of its parameters as a list of types, kinds and selector. */
  declareError: 5,
  /** declaration, namespace or first slot or nothing, 1 if transient → the storage's number and its fields' kinds. */
  declareStorage: 6,

  // Pure: at any time.
  /** types → number and kinds. */
  parseTypes: 16,
  /** number, values… → data. */
  encode: 17,
  /** number, data → values. */
  decode: 18,
  /** error number, values… → revert data. */
  encodeError: 19,
  /** signature → number, kinds and selector of a function to call. */
  parseFunction: 20,
  keccak256: 21,
  sha256: 22,
  ripemd160: 23,
  /** digest, v, r, s → address. */
  recover: 24,
  /** number, values… → packed data. */
  encodePacked: 25,

  // State: while a contract runs.
  /** storage number, path, one more step or nothing → value. */
  load: 32,
  /** storage number, path, one more step or nothing, value. */
  store: 33,
  /** storage number, path → elements. */
  arrayLength: 34,
  /** storage number, path → index of the new element. */
  arrayPush: 35,
  /** storage number, path. */
  arrayPop: 36,
  /** slot → word. */
  loadTransient: 37,
  /** slot, word. */
  storeTransient: 38,
  /** event number, values… */
  log: 39,
  /** kind, address, data, value, gas or -1 → return data. */
  call: 40,
  /** template's address, arguments, value, salt or nothing → address. */
  create: 41,
  /** init code, value, salt or nothing → address. */
  deploy: 42,
  /** storage number, path, one more step. */
  clear: 43,
  /** address of the account whose code the running account takes over. */
  upgrade: 44,

  // Environment: while a contract runs.
  sender: 64,
  value: 65,
  data: 66,
  self: 67,
  origin: 68,
  gasPrice: 69,
  blockNumber: 70,
  timestamp: 71,
  baseFee: 72,
  prevRandao: 73,
  chainId: 74,
  coinbase: 75,
  gasLimit: 76,
  /** number → hash. */
  blockHash: 77,
  gasLeft: 78,
  /** address → wei. */
  balance: 79,
  codeHash: 80,
  codeSize: 81,
  /** text */
  console: 96,
} as const;

export type Operation = (typeof OPERATION)[keyof typeof OPERATION];

/** Which entries a contract has besides its functions, and what it may do. */
export const DECLARES = {
  receive: 1,
  fallback: 2,
  fallbackPayable: 4,
  fallbackReentrant: 8,
  /** Not an entry: the contract may replace its code. */
  upgradeable: 16,
} as const;

/** Values, the entry's number included, up to which the entry `call` is called, and above which `callMany`. */
export const SHORT_CALL_VALUES = 4;

/** First of the values an entry is given; not negative numbers are functions. */
export const ENTRY = { constructor: -1, receive: -2, fallback: -3 } as const;

/** `reentrancy` of a function: as its mutability has it, or stated. */
export const REENTRANCY = { byMutability: 0, allowed: 1, denied: 2 } as const;

export const CALL_KIND = { call: 0, staticcall: 1, delegatecall: 2 } as const;

/**
 * How a type crosses between host and guest: `i` integer, `b` boolean, `s` text or hex, an array of one kind, a
 * tuple as an array of kinds or, with names, as an object.
 */
export type Kind =
  | "i"
  | "b"
  | "s"
  | { readonly each: Kind }
  | { readonly members: readonly Kind[]; readonly names?: readonly string[] };

/** What declaring storage tells the guest of a field. */
export type StorageKind =
  | { readonly value: Kind }
  /** `isText`: keys are `string`, whose text may contain a comma. */
  | { readonly key: Kind; readonly isText?: true; readonly mapping: StorageKind }
  | { readonly array: StorageKind }
  | { readonly fields: readonly (readonly [name: string, kind: StorageKind])[] };
