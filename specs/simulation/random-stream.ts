/** One seeded stream of random numbers per node and purpose: a new draw in one place changes no other. */

export type RandomStream = {
  /** In [0, 1). */
  next(): number;
  /** An integer in [0, below). */
  below(limit: number): number;
};

/** sfc32, seeded by a hash of the seed and the stream's name. */
export function randomStream(seed: number, name: string): RandomStream {
  let hash = 0x811c9dc5 ^ seed;
  for (let i = 0; i < name.length; i++) hash = Math.imul(hash ^ name.charCodeAt(i), 0x01000193);
  let a = hash;
  let b = seed | 0;
  let c = Math.imul(hash, 0x9e3779b1);
  let counter = 1;
  const next = (): number => {
    const t = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = ((c << 21) | (c >>> 11)) + t;
    c |= 0;
    return (t >>> 0) / 2 ** 32;
  };
  for (let i = 0; i < 12; i++) next();
  return { next, below: (limit) => Math.floor(next() * limit) };
}
