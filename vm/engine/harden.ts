/** Guest source that runs before anything else and takes away what would break determinism. specs/vm/engine/engine.md#hardening */

import { MAXIMUM_BIGINT_BITS } from "./c-patches.ts";

/**
 * A script whose value is a function `(host) => ({ describe, makeError, seal })`:
 * `describe` reports a thrown value through the host, `makeError` and `makeBigInt` make values for it, and `seal` freezes
 * everything once `chain:std` is evaluated. Until then the global `engine` is how `chain:std` reaches the host.
 */
export const PRELUDE_SOURCE = `"use strict";
(host) => {
  const { defineProperty, freeze, getOwnPropertyDescriptor, getPrototypeOf, hasOwn } = Object;
  const { ownKeys } = Reflect;
  const { isView } = ArrayBuffer;
  const BigIntConstructor = BigInt, NumberConstructor = Number, StringConstructor = String, MapConstructor = Map;
  const isObject = (value) => (typeof value === "object" && value !== null) || typeof value === "function";

  // Source text never becomes code: no eval, and no constructor of functions on any prototype.
  const functionPrototypes = [
    Function.prototype,
    getPrototypeOf(function* () {}),
    getPrototypeOf(async () => {}),
    getPrototypeOf(async function* () {}),
  ];
  for (const prototype of functionPrototypes) {
    const name = prototype.constructor.name;
    const refuse = { [name]: function () { throw new EvalError("code from strings is not allowed"); } }[name];
    defineProperty(refuse, "prototype", { value: prototype, writable: false, enumerable: false, configurable: false });
    defineProperty(prototype, "constructor", { value: refuse });
  }
  defineProperty(globalThis, "Function", { value: Function.prototype.constructor });

  for (const name of [
    "eval", "escape", "unescape", "Date", "SharedArrayBuffer", "Atomics", "WeakRef", "FinalizationRegistry",
    "performance", "queueMicrotask", "DOMException", "gc", "console",
  ]) delete globalThis[name];
  delete Math.random;
  delete String.prototype.localeCompare;

  // BigInt.asUintN of the published build leaves negative numbers negative.
  const MAXIMUM_BITS = ${MAXIMUM_BIGINT_BITS};
  const asIntN = BigInt.asIntN;
  const toBigInt = (value) => (typeof value === "bigint" ? value : asIntN(MAXIMUM_BITS, value));
  const toIndex = (value) => {
    const number = NumberConstructor(value);
    const integer = number !== number ? 0 : number < 0 ? -floor(-number) : floor(number);
    if (integer < 0 || integer > 9007199254740991) throw new RangeError("invalid array index");
    return integer;
  };
  const { floor } = Math;
  const tooLarge = () => new RangeError("BigInt is too large to allocate");
  const replacements = {
    asUintN(bits, value) {
      bits = toIndex(bits);
      value = toBigInt(value);
      if (bits < MAXIMUM_BITS) return value & ~(-1n << BigIntConstructor(bits));
      if (value < 0n) throw tooLarge();
      return value;
    },
    asIntN(bits, value) {
      bits = toIndex(bits);
      value = toBigInt(value);
      if (bits >= MAXIMUM_BITS) return value;
      if (bits === 0) return 0n;
      const sign = -1n << BigIntConstructor(bits - 1);
      return (value & ~sign) - (value & -sign);
    },
  };
  for (const name of ownKeys(replacements)) defineProperty(BigInt, name, { value: replacements[name] });

  // Freezing a prototype would make "object.toString = ..." fail for everything below it, which library code
  // does. The properties such code assigns become accessors whose setter defines an own property.
  const repair = (prototype, key) => {
    const descriptor = getOwnPropertyDescriptor(prototype, key);
    if (descriptor === undefined || !descriptor.configurable || !hasOwn(descriptor, "value")) return;
    const { value, enumerable } = descriptor;
    const accessor = {
      get() { return value; },
      set(replacement) {
        if (this === prototype || !isObject(this)) throw new TypeError("an intrinsic object is read-only");
        defineProperty(this, key, { value: replacement, writable: true, enumerable: true, configurable: true });
      },
    };
    defineProperty(prototype, key, { get: accessor.get, set: accessor.set, enumerable, configurable: true });
  };
  const errors = [Error, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError, AggregateError, InternalError];
  const repairAll = () => {
    const whole = [Object.prototype, Function.prototype, Promise.prototype, Iterator.prototype, ...errors.map((one) => one.prototype)];
    for (const prototype of whole) for (const key of ownKeys(prototype)) repair(prototype, key);
    for (const name of ownKeys(globalThis)) {
      const prototype = globalThis[name]?.prototype;
      if (isObject(prototype)) for (const key of ["constructor", "toString", "valueOf"]) repair(prototype, key);
    }
  };

  const freezeAll = (roots) => {
    const seen = new MapConstructor();
    const pending = [];
    const visit = (value) => {
      if (!isObject(value) || seen.has(value)) return;
      seen.set(value, true);
      pending.push(value);
    };
    roots.forEach(visit);
    while (pending.length > 0) {
      const object = pending.pop();
      visit(getPrototypeOf(object));
      for (const key of ownKeys(object)) {
        if (typeof key === "string" && key.startsWith("toLocale")) { delete object[key]; continue; }
        const descriptor = getOwnPropertyDescriptor(object, key);
        visit(descriptor.value);
        visit(descriptor.get);
        visit(descriptor.set);
      }
      if (!isView(object)) freeze(object);
    }
  };
  // Iterators whose prototypes no global leads to.
  const hidden = [
    ...functionPrototypes, [][Symbol.iterator](), new Map().entries(), new Set().values(), ""[Symbol.iterator](),
    "".matchAll(/a/g), Iterator.from({ next() {} }), [].values().map((one) => one), (function* () {})(), (async function* () {})(),
  ];

  globalThis.engine = { host, entries: {} };
  return {
    entries: globalThis.engine.entries,
    entryNames: () => ownKeys(globalThis.engine.entries).join(" "),
    describe(thrown) {
      let name = "Error", message = "", payload;
      try {
        if (isObject(thrown)) {
          name = StringConstructor(thrown.name);
          message = StringConstructor(thrown.message);
          if (typeof thrown.payload === "string") payload = thrown.payload;
        } else {
          name = typeof thrown;
          message = StringConstructor(thrown);
        }
      } catch {
        // A getter of the thrown value threw: what was read until then is reported.
      }
      host(-1, name, message, payload);
    },
    makeBigInt: (bits) => 1n << BigIntConstructor(bits),
    makeError(name, message, payload) {
      const constructor = errors.find((one) => one.name === name);
      const error = new (constructor ?? Error)(message);
      if (constructor === undefined) error.name = name;
      if (payload !== undefined) error.payload = payload;
      return error;
    },
    seal(namespace) {
      delete globalThis.engine;
      repairAll();
      freezeAll([globalThis, ...ownKeys(namespace).map((name) => namespace[name]), ...hidden]);
    },
  };
}
`;
