/** Source as coloured pieces, line by line. acorn reads the tokens; what is between them is comment or space. */
import { type Options, tokenizer, tokTypes } from "acorn";

export type Piece = {
  readonly text: string;
  readonly kind: "plain" | "keyword" | "string" | "number" | "comment";
};

const OPTIONS: Options = { ecmaVersion: "latest", sourceType: "module" };

/** Lines of pieces. Source that acorn cannot read (it always can read what a chain accepted) stays plain. */
export function highlight(source: string): Piece[][] {
  const pieces: Piece[] = [];
  let end = 0;
  const upTo = (start: number, kind: Piece["kind"]) => {
    if (start > end) pieces.push({ text: source.slice(end, start), kind });
    end = Math.max(end, start);
  };
  try {
    const onComment = (_isBlock: boolean, _text: string, start: number, stop: number) => {
      upTo(start, "plain");
      upTo(stop, "comment");
    };
    for (const token of tokenizer(source, { ...OPTIONS, onComment })) {
      upTo(token.start, "plain");
      upTo(token.end, kindOf(token.type));
    }
  } catch {
    // The rest is shown without colour.
  }
  upTo(source.length, "plain");
  return splitLines(pieces);
}

function kindOf(type: { readonly keyword?: string | undefined }): Piece["kind"] {
  if (type.keyword !== undefined) return "keyword";
  if (type === tokTypes.string || type === tokTypes.template || type === tokTypes.regexp) return "string";
  return type === tokTypes.num ? "number" : "plain";
}

function splitLines(pieces: readonly Piece[]): Piece[][] {
  const lines: Piece[][] = [[]];
  for (const { text, kind } of pieces) {
    for (const [index, part] of text.split("\n").entries()) {
      if (index > 0) lines.push([]);
      if (part !== "") lines.at(-1)?.push({ text: part, kind });
    }
  }
  return lines;
}
