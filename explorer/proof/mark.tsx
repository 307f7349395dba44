/** Beside a value: whether it was proven here, is the node's word, or is a lie. */

export type MarkState = "verified" | "reported" | "lie";

const WORDS: Readonly<Record<MarkState, string>> = {
  verified: "✓ verified",
  reported: "reported by the node",
  lie: "✗ the node lies",
};

export function Mark({ state, why }: { readonly state: MarkState; readonly why?: string }) {
  return (
    <span class={`tag ${state}`} data-mark={state} title={why}>
      {WORDS[state]}
    </span>
  );
}
