/** Which page is shown: the part of the address behind `#`, as words. */
import { signal } from "@preact/signals";

/** `#/block/12` is `["block", "12"]`; the front page is empty. */
export const route = signal<readonly string[]>(readRoute());

function readRoute(): readonly string[] {
  return location.hash
    .replace(/^#\/?/, "")
    .split("/")
    .filter((word) => word !== "")
    .map(decodeURIComponentOr);
}

/** The address bar may hold anything; what is no encoding stands for itself. */
function decodeURIComponentOr(word: string): string {
  try {
    return decodeURIComponent(word);
  } catch {
    return word;
  }
}

export function linkTo(...words: readonly (string | number)[]): string {
  return `#/${words.map((word) => encodeURIComponent(String(word))).join("/")}`;
}

export function goTo(...words: readonly (string | number)[]): void {
  location.hash = linkTo(...words);
}

addEventListener("hashchange", () => {
  route.value = readRoute();
  scrollTo(0, 0);
});
