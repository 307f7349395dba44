/** A function of a contract as a form: read it, or write it with a wallet. */
import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { type AbiFunction, decodeFunctionResult, encodeFunctionData } from "viem";
import { Failure } from "../card.tsx";
import type { Hex } from "../node/objects.ts";
import { readArgument } from "./arguments.ts";
import { valueText } from "./decode.ts";

/** What is done with the encoded call; it answers with what is shown. */
export type Perform = (data: Hex, valueWei: bigint) => Promise<ComponentChildren>;

type FormProps = { readonly item: AbiFunction; readonly action: string; readonly perform: Perform };

export function FunctionForm({ item, action, perform }: FormProps) {
  const [outcome, setOutcome] = useState<ComponentChildren>(null);
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget as HTMLFormElement);
    setOutcome(<span class="quiet">…</span>);
    try {
      const args = item.inputs.map((input, index) =>
        readArgument(input, String(form.get(`argument${index}`) ?? "")),
      );
      const value = readArgument({ type: "uint256" }, String(form.get("value") ?? "0") || "0") as bigint;
      const data = encodeFunctionData({ abi: [item], functionName: item.name, args });
      setOutcome(await perform(data, value));
    } catch (error) {
      setOutcome(<Failure error={error} />);
    }
  };
  return (
    <form onSubmit={submit} data-function={item.name}>
      <fieldset>
        <legend>
          <code>{item.name}</code>
        </legend>
        {item.inputs.map((input, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: arguments are told apart by their place.
          <label key={index}>
            {input.name || `argument ${index}`} <span class="mono quiet">{input.type}</span>
            <input name={`argument${index}`} autocomplete="off" spellcheck={false} />
          </label>
        ))}
        {item.stateMutability === "payable" && (
          <label>
            value <span class="mono quiet">wei</span>
            <input name="value" inputMode="numeric" autocomplete="off" />
          </label>
        )}
        <button type="submit">{action}</button> <output>{outcome}</output>
      </fieldset>
    </form>
  );
}

/** Results one below the other, by name where they have one. */
export function resultView(item: AbiFunction, data: Hex): ComponentChildren {
  const result: unknown = decodeFunctionResult({ abi: [item], functionName: item.name, data });
  const values = item.outputs.length === 1 ? [result] : Array.isArray(result) ? result : [];
  return item.outputs.map((output, index) => (
    <div key={output.name ?? index} class="mono" data-result={item.name}>
      {output.name !== undefined && output.name !== "" && <span class="quiet">{output.name}: </span>}
      {valueText(values[index])}
    </div>
  ));
}
