/** Whole numbers on the command line. */
import { InvalidArgumentError } from "commander";

/** Reads a decimal number within bounds, both included. */
export function wholeNumber(minimum: number, maximum: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < minimum || value > maximum) {
      throw new InvalidArgumentError(`expected a whole number from ${minimum} to ${maximum}.`);
    }
    return value;
  };
}
