/** Where the testnet writes: a table redrawn in place on a terminal, lines otherwise. */

const HIDE_CURSOR = "\x1b[?25l";
const SHOW_CURSOR = "\x1b[?25h";
const CLEAR_TO_END = "\x1b[J";

export type Screen = {
  /** A line that stays. */
  line(text: string): void;
  /** Replaces what the last `draw` showed. */
  draw(lines: readonly string[]): void;
  close(): void;
};

/** Lines wider than the terminal are cut: a wrapped line would break the count of lines to go back over. */
export function createScreen(output: NodeJS.WriteStream): Screen {
  let drawn = 0;
  const erase = () => {
    if (drawn > 0) output.write(`\x1b[${drawn}A\r${CLEAR_TO_END}`);
    drawn = 0;
  };
  return {
    line(text) {
      erase();
      output.write(`${text}\n`);
    },
    draw(lines) {
      const visible = lines.slice(0, Math.max(1, (output.rows ?? 40) - 1));
      const cut = visible.map((line) => line.slice(0, Math.max(20, (output.columns ?? 120) - 1)));
      erase();
      output.write(`${HIDE_CURSOR}${cut.join("\n")}\n`);
      drawn = cut.length;
    },
    close() {
      if (output.isTTY) output.write(SHOW_CURSOR);
    },
  };
}
