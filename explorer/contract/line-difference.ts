/** Which lines two texts share: the longest common run of lines, in order. */

export type DifferenceLine = { readonly text: string; readonly side: "both" | "left" | "right" };

/** Lines a side may have; a table of the product is filled. The largest contract the chain takes has far fewer. */
const LINES_LIMIT = 6000;

/** Lines of both texts in reading order. Equal beginnings and ends are set aside first: the table is the square of the rest. */
export function compareLines(left: string, right: string): DifferenceLine[] {
  const a = left.split("\n").slice(0, LINES_LIMIT);
  const b = right.split("\n").slice(0, LINES_LIMIT);
  let start = 0;
  while (start < a.length && start < b.length && a[start] === b[start]) start++;
  let end = 0;
  while (end < a.length - start && end < b.length - start && a.at(-1 - end) === b.at(-1 - end)) end++;
  const both = (lines: readonly string[]): DifferenceLine[] => lines.map((text) => ({ text, side: "both" }));
  const middle = compareMiddle(a.slice(start, a.length - end), b.slice(start, b.length - end));
  return [...both(a.slice(0, start)), ...middle, ...both(end === 0 ? [] : a.slice(-end))];
}

function compareMiddle(a: readonly string[], b: readonly string[]): DifferenceLine[] {
  const width = b.length + 1;
  /** Longest common run of the lines from (i, j) on. */
  const longest = new Uint16Array((a.length + 1) * width);
  const at = (i: number, j: number) => longest[i * width + j] ?? 0;
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) {
      longest[i * width + j] = a[i] === b[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
    }
  }
  const lines: DifferenceLine[] = [];
  let i = 0;
  let j = 0;
  while (i < a.length || j < b.length) {
    if (i < a.length && j < b.length && a[i] === b[j]) {
      lines.push({ text: a[i] ?? "", side: "both" });
      i++;
      j++;
    } else if (i < a.length && (j === b.length || at(i + 1, j) >= at(i, j + 1))) {
      lines.push({ text: a[i++] ?? "", side: "left" });
    } else {
      lines.push({ text: b[j++] ?? "", side: "right" });
    }
  }
  return lines;
}
