/** Where a signer is. See specs/node/remote-signing.md. */

/** Undefined for what is no address of a web server, or holds a password: that would end in logs and answers. */
export function parseSignerUrl(text: string): string | undefined {
  if (!URL.canParse(text)) return undefined;
  const { protocol, username, password, search, hash, href } = new URL(text);
  const isPlain = [username, password, search, hash].every((part) => part === "");
  return isPlain && ["http:", "https:"].includes(protocol) ? href.replace(/\/+$/, "") : undefined;
}
