/** What each validator was seen to sign, and whether two of it cost its stake. */
import type { AttestationData } from "../../../consensus/containers.ts";
import { isSlashableAttestationData } from "../../../consensus/slashability.ts";
import type { Hash } from "../../../primitives/bytes.ts";

type Proposal = { readonly slot: number; readonly root: Hash };
type Signed = { readonly votes: AttestationData[]; readonly blocks: Map<number, Hash> };

export class SignedMessages {
  readonly #byValidator = new Map<number, Signed>();
  /** One sentence for each pair of messages that could be slashed. */
  readonly slashable: string[] = [];

  addVote(validator: number, vote: AttestationData): void {
    const { votes } = this.#of(validator);
    for (const other of votes) {
      if (isSlashableAttestationData(vote, other) || isSlashableAttestationData(other, vote)) {
        this.slashable.push(
          `validator ${validator} signed two votes with targets ${textOf(other)}, ${textOf(vote)}`,
        );
      }
    }
    votes.push(vote);
  }

  addBlock(validator: number, { slot, root }: Proposal): void {
    const { blocks } = this.#of(validator);
    const other = blocks.get(slot);
    if (other !== undefined && other !== root) {
      this.slashable.push(`validator ${validator} signed two blocks of slot ${slot}: ${other}, ${root}`);
    }
    blocks.set(slot, root);
  }

  /** The highest source and target epoch and block slot seen of a validator; −1 for nothing. */
  highest(validator: number): { readonly source: number; readonly target: number; readonly slot: number } {
    const { votes, blocks } = this.#of(validator);
    return {
      source: Math.max(-1, ...votes.slice(-RECENT).map(({ source }) => source.epoch)),
      target: Math.max(-1, ...votes.slice(-RECENT).map(({ target }) => target.epoch)),
      slot: Math.max(-1, ...[...blocks.keys()].slice(-RECENT)),
    };
  }

  /** Slots from `first` to `last` of which no vote of the validator was seen. */
  slotsWithoutVote(validator: number, first: number, last: number): number {
    const voted = new Set(this.#of(validator).votes.map(({ slot }) => slot));
    let missing = 0;
    for (let slot = first; slot <= last; slot++) if (!voted.has(slot)) missing++;
    return missing;
  }

  count(): { readonly votes: number; readonly blocks: number } {
    const all = [...this.#byValidator.values()];
    return {
      votes: all.reduce((sum, { votes }) => sum + votes.length, 0),
      blocks: all.reduce((sum, { blocks }) => sum + blocks.size, 0),
    };
  }

  #of(validator: number): Signed {
    let signed = this.#byValidator.get(validator);
    if (signed === undefined) {
      signed = { votes: [], blocks: new Map() };
      this.#byValidator.set(validator, signed);
    }
    return signed;
  }
}

/** Epochs and slots only rise, so the highest are among the last seen. */
const RECENT = 64;

function textOf({ source, target }: AttestationData): string {
  return `${source.epoch}→${target.epoch}`;
}
