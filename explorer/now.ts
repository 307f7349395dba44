/** The time, in seconds since 1970, once a second: ages on the page move by themselves. */
import { signal } from "@preact/signals";

export const now = signal(Date.now() / 1000);

setInterval(() => {
  now.value = Date.now() / 1000;
}, 1000);
