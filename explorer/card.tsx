/** A titled box, and the states every box that waits for the node can be in. */
import type { ComponentChildren } from "preact";
import type { Loaded } from "./load.ts";
import { NodeError } from "./node/json-rpc.ts";

export function Card({ title, children }: { readonly title?: string; readonly children: ComponentChildren }) {
  return (
    <section class="card">
      {title !== undefined && <h2>{title}</h2>}
      {children}
    </section>
  );
}

/** What was loaded, or in words why it is not there. */
export function Waiting<T>({
  on,
  children,
}: {
  readonly on: Loaded<T>;
  readonly children: (value: T) => ComponentChildren;
}) {
  if (on.state === "loading") {
    return (
      <p class="quiet" role="status">
        Loading…
      </p>
    );
  }
  if (on.state === "failed") return <Failure error={on.error} />;
  return <>{children(on.value)}</>;
}

export function Failure({ error }: { readonly error: unknown }) {
  const text =
    error instanceof NodeError
      ? `The node answered: ${error.message}`
      : error instanceof Error
        ? `The node could not be asked: ${error.message}`
        : String(error);
  return (
    <p class="bad" role="alert">
      {text}
    </p>
  );
}
