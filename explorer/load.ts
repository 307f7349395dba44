/** A value that is fetched when its name changes, with the states a page has to show meanwhile. */
import { useEffect, useState } from "preact/hooks";

export type Loaded<T> =
  | { readonly state: "loading" }
  | { readonly state: "ready"; readonly value: T }
  | { readonly state: "failed"; readonly error: unknown };

/** Fetches when `key` changes; an answer to an older key is let go. A value that is there stays until the next is. */
export function useLoaded<T>(key: string, fetchValue: () => Promise<T>): Loaded<T> {
  const [loaded, setLoaded] = useState<{ readonly key: string; readonly value: Loaded<T> }>({
    key: "",
    value: { state: "loading" },
  });
  // biome-ignore lint/correctness/useExhaustiveDependencies: the key names what is fetched.
  useEffect(() => {
    let isCurrent = true;
    const settle = (value: Loaded<T>) => {
      if (isCurrent) setLoaded({ key, value });
    };
    fetchValue().then(
      (value) => settle({ state: "ready", value }),
      (error: unknown) => settle({ state: "failed", error }),
    );
    return () => {
      isCurrent = false;
    };
  }, [key]);
  return loaded.key === key ? loaded.value : { state: "loading" };
}
