/** A program that walks at random through every object it can reach, and tries what an escape would try. specs/vm/engine/engine.md#hardening */

/**
 * The body of a contract's function, whose argument is the seed. It begins at values of every kind of syntax, follows
 * properties and prototypes, calls and constructs what it finds with what it found, and tries to redefine it. Returns a text
 * that begins with `escaped` when code came of a string, or an object has what only the host has.
 */
export const ESCAPE_WALK = `
  let state = Number(argument) | 0;
  const below = (limit) => { state = (Math.imul(state, 1664525) + 1013904223) | 0; return (state >>> 8) % limit };
  const known = [{}, [], () => 1, function () { return arguments }, function* () { yield 1 }, async () => 1, async function* () {}, class { #a = 1 },
    /a/g, "text", 1.5, 2n ** 70n, Symbol.iterator, new Proxy({}, {}), new Proxy(() => 1, {}), new Map([[1, 2]]), new Set([1]), new WeakMap(),
    new Error("x"), new Uint8Array(8), new DataView(new ArrayBuffer(8)), Promise.resolve(1), Reflect, Math, JSON, globalThis, host,
    "return 7", "constructor", "__proto__", undefined, null, true, { valueOf() { return 7 }, toString() { return "constructor" } }];
  const errors = [() => null.x, () => host({}), () => new Array(-1), () => JSON.parse("{"), () => { throw host }, () => eval("7")];
  const keep = (value) => { if (known.length < 400) known.push(value); else known[below(400)] = value };
  const has = Reflect.has, get = Reflect.get;
  const isHost = (value) => value !== null && (typeof value === "object" || typeof value === "function") &&
    // A proxy whose trap says yes to everything is no host.
    !has(value, "a name that nothing has") &&
    ["process", "require", "WebAssembly", "Buffer", "setTimeout", "fetch"].some((name) => has(value, name) && get(value, name) !== undefined);
  const look = (value) => {
    if (value !== host && isHost(value)) throw "escaped: an object of the host";
    if (typeof value === "function") for (const text of ["return 7", "() => 7"]) {
      let made; try { made = value(text) } catch { continue }
      let result; try { result = typeof made === "function" ? made() : undefined } catch { continue }
      if (result === 7 && value("return 8")() === 8) throw "escaped: code from a string";
    }
    keep(value);
  };
  const pick = () => known[below(known.length)];
  const steps = [
    (v) => { const keys = Reflect.ownKeys(v); if (keys.length > 0) look(v[keys[below(keys.length)]]) },
    (v) => look(Object.getPrototypeOf(v)),
    (v) => look(v.constructor),
    (v) => { const keys = Reflect.ownKeys(v); const d = Object.getOwnPropertyDescriptor(v, keys[below(keys.length)]); look(d.get); look(d.set); look(d.value) },
    (v) => look(v(pick(), pick())),
    (v) => look(Reflect.apply(v, pick(), [pick(), pick()])),
    (v) => look(new v(pick(), pick())),
    (v) => look(Reflect.construct(Object, [], v)),
    (v) => { v[String(pick())] = pick() },
    (v) => Object.defineProperty(v, ["then", "constructor", "length", "prepareStackTrace", "stack", "polluted"][below(6)], { value: pick(), configurable: true }),
    (v) => Object.setPrototypeOf(v, pick()),
    (v) => look(new Proxy(v, pick())),
    (v) => look(v.next(pick())),
    (v) => look(v.then(look, look)),
    () => { try { errors[below(errors.length)]() } catch (e) { look(e) } },
    (v) => look(v[pick()]),
  ];
  try {
    for (let i = 0; i < 400; i++) {
      try { steps[below(steps.length)](pick()) } catch (e) { if (typeof e === "string" && e.startsWith("escaped")) throw e; keep(e) }
    }
  } catch (e) { return String(e) }
  return "kept " + known.length;
`;
