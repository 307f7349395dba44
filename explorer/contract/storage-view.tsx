/** Storage by name: every field of the layout, mappings by a key the reader names. */
import { useState } from "preact/hooks";
import { fetchAccount } from "../../light/verified/proven-account.ts";
import { Waiting } from "../card.tsx";
import { ask } from "../node/json-rpc.ts";
import type { Hex } from "../node/objects.ts";
import { Mark } from "../proof/mark.tsx";
import { type Marked, useProven } from "../proof/use-proven.ts";
import type { KnownContract } from "./known-contracts.ts";
import { keyTypesOf, type ReadWord, readField, type StorageValue } from "./storage-values.ts";

export function StorageView({ contract }: { readonly contract: KnownContract }) {
  const layout = (contract.implementation ?? contract).storageLayout;
  if (layout.storage.length === 0) return <p class="quiet">The contract declares no storage.</p>;
  const plain = layout.storage.filter(({ label }) => keyTypesOf(layout, label).length === 0);
  const mappings = layout.storage.filter(({ label }) => keyTypesOf(layout, label).length > 0);
  return (
    <>
      {plain.map(({ label }) => (
        <Field key={label} contract={contract} label={label} keys={[]} />
      ))}
      {mappings.map(({ label }) => (
        <MappingField key={label} contract={contract} label={label} />
      ))}
    </>
  );
}

type FieldProps = {
  readonly contract: KnownContract;
  readonly label: string;
  readonly keys: readonly string[];
};

function Field({ contract, label, keys }: FieldProps) {
  const layout = (contract.implementation ?? contract).storageLayout;
  const read = (readWord: ReadWord) => readField(layout, label, keys, readWord);
  const loaded = useProven<readonly StorageValue[]>(`${contract.address} ${label} ${keys.join(" ")}`, {
    prove: ({ ask: askNode }, final) =>
      read(async (slot) => {
        const { words } = await fetchAccount(askNode, final, contract.address, [slotHash(slot)]);
        return words[0] ?? 0n;
      }),
    report: (final) => {
      const block = final === undefined ? "latest" : { blockHash: final.hash };
      return read(async (slot) =>
        BigInt(await ask<Hex>("eth_getStorageAt", contract.address, slotHash(slot), block)),
      );
    },
    isEqual: (a, b) => a.every(({ value }, index) => value === b[index]?.value),
  });
  return <Waiting on={loaded}>{(marked) => <Values marked={marked} />}</Waiting>;
}

function slotHash(slot: bigint): Hex {
  return `0x${slot.toString(16).padStart(64, "0")}`;
}

function Values({
  marked: { value: values, mark, why },
}: {
  readonly marked: Marked<readonly StorageValue[]>;
}) {
  return (
    <dl class="facts">
      {values.map(({ path, type, slot, value }) => (
        <div key={path} style="display: contents">
          <dt title={`slot 0x${slot.toString(16)}`}>
            <code>{path}</code> <span class="mono">{type}</span>
          </dt>
          <dd>
            <span class="mono" data-storage={path}>
              {value}
            </span>{" "}
            <Mark state={mark} why={why} />
          </dd>
        </div>
      ))}
    </dl>
  );
}

function MappingField({ contract, label }: Omit<FieldProps, "keys">) {
  const layout = (contract.implementation ?? contract).storageLayout;
  const [keys, setKeys] = useState<readonly string[] | undefined>(undefined);
  const types = keyTypesOf(layout, label);
  const read = (event: SubmitEvent) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget as HTMLFormElement);
    setKeys(types.map((_, index) => String(form.get(`key${index}`) ?? "")));
  };
  return (
    <form onSubmit={read}>
      <fieldset>
        <legend>
          <code>{label}</code>
        </legend>
        {types.map((type, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: keys are told apart by their place.
          <label key={index}>
            key <span class="mono quiet">{type}</span>
            <input name={`key${index}`} required autocomplete="off" />
          </label>
        ))}
        <button type="submit">read</button>
        {keys !== undefined && <Field contract={contract} label={label} keys={keys} />}
      </fieldset>
    </form>
  );
}
