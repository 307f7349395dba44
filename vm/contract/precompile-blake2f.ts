/** BLAKE2b's compression function F as a precompile (EIP-152). See specs/vm/contract/precompiles.md. */

/** RFC 7693, section 2.7: which words of the message the steps of a round take; rounds repeat after ten. */
const SIGMA: readonly (readonly number[])[] = [
  [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15],
  [14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3],
  [11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4],
  [7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8],
  [9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13],
  [2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9],
  [12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11],
  [13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10],
  [6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5],
  [10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0],
];

/** RFC 7693, section 2.6, low half before high half. */
const IV = new Uint32Array([
  0xf3bcc908, 0x6a09e667, 0x84caa73b, 0xbb67ae85, 0xfe94f82b, 0x3c6ef372, 0x5f1d36f1, 0xa54ff53a, 0xade682d1,
  0x510e527f, 0x2b3e6c1f, 0x9b05688c, 0xfb41bd6b, 0x1f83d9ab, 0x137e2179, 0x5be0cd19,
]);

const INPUT_BYTES = 213;

/** Rounds, state, message, offset and the last block's flag; undefined when the input has another form. */
export function blake2fRounds(data: Uint8Array): number | undefined {
  const isForm = data.length === INPUT_BYTES && (data[212] ?? 2) <= 1;
  return isForm ? new DataView(data.buffer, data.byteOffset).getUint32(0) : undefined;
}

/** The caller has checked the form. */
export function blake2f(data: Uint8Array): Uint8Array {
  const rounds = blake2fRounds(data) ?? 0;
  const view = new DataView(data.buffer, data.byteOffset);
  const v = new Uint32Array(32);
  for (let i = 0; i < 16; i++) v[i] = view.getUint32(4 + 4 * i, true);
  v.set(IV, 16);
  for (let i = 0; i < 4; i++) v[24 + i] = (v[24 + i] ?? 0) ^ view.getUint32(196 + 4 * i, true);
  if (data[212] === 1) for (const i of [28, 29]) v[i] = ~(v[i] ?? 0);
  const m = new Uint32Array(32);
  for (let i = 0; i < 32; i++) m[i] = view.getUint32(68 + 4 * i, true);
  for (let round = 0; round < rounds; round++) mixRound(v, m, SIGMA[round % 10] ?? []);
  const output = new Uint8Array(64);
  const out = new DataView(output.buffer);
  for (let i = 0; i < 16; i++) {
    out.setUint32(4 * i, (view.getUint32(4 + 4 * i, true) ^ (v[i] ?? 0) ^ (v[i + 16] ?? 0)) >>> 0, true);
  }
  return output;
}

function mixRound(v: Uint32Array, m: Uint32Array, s: readonly number[]): void {
  mix(v, m, 0, 8, 16, 24, s[0] ?? 0, s[1] ?? 0);
  mix(v, m, 2, 10, 18, 26, s[2] ?? 0, s[3] ?? 0);
  mix(v, m, 4, 12, 20, 28, s[4] ?? 0, s[5] ?? 0);
  mix(v, m, 6, 14, 22, 30, s[6] ?? 0, s[7] ?? 0);
  mix(v, m, 0, 10, 20, 30, s[8] ?? 0, s[9] ?? 0);
  mix(v, m, 2, 12, 22, 24, s[10] ?? 0, s[11] ?? 0);
  mix(v, m, 4, 14, 16, 26, s[12] ?? 0, s[13] ?? 0);
  mix(v, m, 6, 8, 18, 28, s[14] ?? 0, s[15] ?? 0);
}

/** RFC 7693, section 3.1, on words of two halves; `a` to `d` are indices of low halves, `x` and `y` words of the message. */
function mix(
  v: Uint32Array,
  m: Uint32Array,
  a: number,
  b: number,
  c: number,
  d: number,
  x: number,
  y: number,
): void {
  add(v, a, v[b] ?? 0, v[b + 1] ?? 0);
  add(v, a, m[2 * x] ?? 0, m[2 * x + 1] ?? 0);
  xorRotate(v, d, a, 32);
  add(v, c, v[d] ?? 0, v[d + 1] ?? 0);
  xorRotate(v, b, c, 24);
  add(v, a, v[b] ?? 0, v[b + 1] ?? 0);
  add(v, a, m[2 * y] ?? 0, m[2 * y + 1] ?? 0);
  xorRotate(v, d, a, 16);
  add(v, c, v[d] ?? 0, v[d + 1] ?? 0);
  xorRotate(v, b, c, 63);
}

function add(v: Uint32Array, at: number, low: number, high: number): void {
  const sum = (v[at] ?? 0) + low;
  v[at + 1] = (v[at + 1] ?? 0) + high + (sum >= 2 ** 32 ? 1 : 0);
  v[at] = sum;
}

/** `v[at] = rotateRight(v[at] ^ v[other], bits)`. */
function xorRotate(v: Uint32Array, at: number, other: number, bits: number): void {
  const low = (v[at] ?? 0) ^ (v[other] ?? 0);
  const high = (v[at + 1] ?? 0) ^ (v[other + 1] ?? 0);
  if (bits === 32) {
    v[at] = high;
    v[at + 1] = low;
  } else if (bits < 32) {
    v[at] = (low >>> bits) | (high << (32 - bits));
    v[at + 1] = (high >>> bits) | (low << (32 - bits));
  } else {
    v[at] = (high >>> (bits - 32)) | (low << (64 - bits));
    v[at + 1] = (low >>> (bits - 32)) | (high << (64 - bits));
  }
}
