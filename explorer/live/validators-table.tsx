/** Validators with their balance, state and votes of the last slots. */
import type { LiveValidator } from "../../rpc/live-picture.ts";
import { Card } from "../card.tsx";
import { formatCount, formatUnits, NATIVE_UNIT, shorten } from "../display.ts";
import { picture } from "./live-state.ts";

export function ValidatorsTable({ validators }: { readonly validators: readonly LiveValidator[] }) {
  return (
    <div class="scroll">
      <table>
        <thead>
          <tr>
            <th scope="col" class="number">
              index
            </th>
            <th scope="col">key</th>
            <th scope="col">state</th>
            <th scope="col" class="number">
              balance
            </th>
            <th scope="col">votes, newest right</th>
          </tr>
        </thead>
        <tbody>
          {validators.map((validator) => (
            <tr key={validator.index}>
              <td class="number">{validator.index}</td>
              <td class="mono" title={validator.publicKey}>
                {shorten(validator.publicKey)}
                {validator.isLocal && <span class="quiet"> this node</span>}
              </td>
              <td class={validator.status === "slashed" ? "bad" : ""}>{validator.status}</td>
              <td class="number">
                {formatUnits(BigInt(validator.balanceGwei), 9, 4)} {NATIVE_UNIT}
              </td>
              <td>
                <Votes of={validator} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Votes({ of: { votes } }: { readonly of: LiveValidator }) {
  const count = [...votes].filter((vote) => vote === "1").length;
  return (
    <span class="votes" role="img" aria-label={`voted in ${count} of the last ${votes.length} slots`}>
      {[...votes].map((vote, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: a position is what identifies a slot here.
        <i key={index} class={vote === "1" ? "voted" : ""} />
      ))}
    </span>
  );
}

export function ValidatorsPage() {
  const shown = picture.value;
  if (shown === undefined) {
    return (
      <Card title="Validators">
        <p class="quiet">This node has not told of any validators yet; a development chain has none.</p>
      </Card>
    );
  }
  const rest = shown.validatorCount - shown.validators.length;
  return (
    <Card title={`Validators (${formatCount(shown.validatorCount)})`}>
      <ValidatorsTable validators={shown.validators} />
      {rest > 0 && <p class="quiet">and {formatCount(rest)} more</p>}
    </Card>
  );
}
