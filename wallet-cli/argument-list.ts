/** Arrays and tuples as they are typed: JSON, or cast's form with bare words, `[0x12…,5]` and `(5,true)`. See specs/wallet/wallet.md#calls. */

/** Members are texts, whatever they look like: numbers keep all their digits. */
export type TypedList = readonly (string | TypedList)[];

/** Lists in lists; the deepest type of an ABI is far from it. */
const DEPTH_LIMIT = 64;
/** A text in quotes as JSON has it, or a bare word: up to the next separator. */
const MEMBER = /\s*(?:("(?:[^"\\]|\\.)*")\s*|([^"[\](),]+))/y;
const SPACE = /\s*/y;

type Reader = { readonly text: string; at: number };

/** Undefined for what is no list. */
export function parseTypedList(text: string): TypedList | undefined {
  const reader: Reader = { text: text.trim(), at: 0 };
  const list = readList(reader, 0);
  return list !== undefined && reader.at === reader.text.length ? list : undefined;
}

function readList(reader: Reader, depth: number): TypedList | undefined {
  const closing = { "[": "]", "(": ")" }[reader.text[reader.at] ?? ""];
  if (closing === undefined || depth === DEPTH_LIMIT) return undefined;
  reader.at++;
  const members: (string | TypedList)[] = [];
  for (;;) {
    skip(reader, SPACE);
    if (reader.text[reader.at] === closing && members.length === 0) break;
    const member = /[[(]/.test(reader.text[reader.at] ?? "") ? readList(reader, depth + 1) : readWord(reader);
    if (member === undefined) return undefined;
    members.push(member);
    skip(reader, SPACE);
    if (reader.text[reader.at] === closing) break;
    if (reader.text[reader.at] !== ",") return undefined;
    reader.at++;
  }
  reader.at++;
  return members;
}

function readWord(reader: Reader): string | undefined {
  const [, quoted, bare] = skip(reader, MEMBER) ?? [];
  if (bare !== undefined) return bare.trim() === "" ? undefined : bare.trim();
  try {
    return quoted === undefined ? undefined : (JSON.parse(quoted) as string);
  } catch {
    // Not all that is between quotes is JSON: "\q".
    return undefined;
  }
}

function skip(reader: Reader, pattern: RegExp): RegExpExecArray | null {
  pattern.lastIndex = reader.at;
  const match = pattern.exec(reader.text);
  if (match !== null) reader.at = pattern.lastIndex;
  return match;
}
