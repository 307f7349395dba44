/** Every vote and block that anyone signed: who can be held to account, by the naive rules. See specs/simulation/invariants.md. */
import type { AttestationData } from "../../consensus/containers.ts";
import { voteKey } from "../../consensus/vote-records.ts";
import type { Hash } from "../../primitives/bytes.ts";

type LoggedVote = { readonly key: Hash; readonly source: number; readonly target: number };

export class MessageLog {
  readonly #votes = new Map<number, LoggedVote[]>();
  readonly #proposals = new Map<string, Set<Hash>>();
  readonly #equivocatingProposers = new Set<number>();

  noteVote(validatorIndex: number, data: AttestationData): void {
    const vote = { key: voteKey(data), source: data.source.epoch, target: data.target.epoch };
    const votes = this.#votes.get(validatorIndex);
    if (votes === undefined) this.#votes.set(validatorIndex, [vote]);
    else if (!votes.some(({ key }) => key === vote.key)) votes.push(vote);
  }

  noteProposal(slot: number, proposerIndex: number, root: Hash): void {
    const key = `${slot}:${proposerIndex}`;
    const roots = this.#proposals.get(key) ?? new Set();
    this.#proposals.set(key, roots.add(root));
    if (roots.size > 1) this.#equivocatingProposers.add(proposerIndex);
  }

  /** Validators that signed a double or a surround vote. */
  slashableVoters(): readonly number[] {
    return [...this.#votes]
      .filter(([, votes]) => votes.some((a, i) => votes.slice(i + 1).some((b) => isSlashable(a, b))))
      .map(([validatorIndex]) => validatorIndex)
      .sort((a, b) => a - b);
  }

  /** Those, and the proposers of two blocks for one slot. */
  offenders(): ReadonlySet<number> {
    return new Set([...this.slashableVoters(), ...this.#equivocatingProposers]);
  }
}

function isSlashable(a: LoggedVote, b: LoggedVote): boolean {
  if (a.target === b.target) return a.key !== b.key;
  return (a.source < b.source && b.target < a.target) || (b.source < a.source && a.target < b.target);
}
