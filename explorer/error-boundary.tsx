/** A page that fails shows its failure in its own place; the rest of the explorer goes on. */
import { Component, type ComponentChildren } from "preact";
import { Failure } from "./card.tsx";

type Props = { readonly children: ComponentChildren };
type State = { readonly error: unknown };

export class ErrorBoundary extends Component<Props, State> {
  override state: State = { error: undefined };

  static override getDerivedStateFromError(error: unknown): State {
    return { error };
  }

  override render({ children }: Props, { error }: State) {
    return error === undefined ? children : <Failure error={error} />;
  }
}
