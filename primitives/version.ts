/** The release, as package.json has it: what programs answer to --version, and what nodes tell of themselves. */
export const VERSION = "0.1.0";
