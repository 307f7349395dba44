/** Whom a transaction's calls reach beyond its sender and recipient. See specs/vm/execute-block.md#inner-participants. */
import type { Address } from "../primitives/bytes.ts";
import type { Message, MessageTracer } from "./message.ts";

/** Follows one transaction after the other; a message of depth 0 begins the next. */
export class InnerParticipants implements MessageTracer {
  readonly #found = new Set<Address>();

  onEnter({ depth, self, codeAddress }: Message): void {
    if (depth === 0) {
      this.#found.clear();
      return;
    }
    this.#found.add(self);
    this.#found.add(codeAddress);
  }

  onExit(): void {}

  /** Of the last transaction, in the order they were reached, without those that `isKnown` names. */
  except(isKnown: (address: Address) => boolean): readonly Address[] {
    // Most transactions send no message of their own.
    return this.#found.size === 0 ? NOBODY : [...this.#found].filter((address) => !isKnown(address));
  }
}

const NOBODY: readonly Address[] = [];
