/** Storage by name: every field of the layout, mappings by a key the reader names. */
import { useState } from "preact/hooks";
import { Waiting } from "../card.tsx";
import { newestHead } from "../live/live-state.ts";
import { useLoaded } from "../load.ts";
import { ask } from "../node/json-rpc.ts";
import type { Hex } from "../node/objects.ts";
import type { KnownContract } from "./known-contracts.ts";
import { keyTypesOf, readField, type StorageValue } from "./storage-values.ts";

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
  const readWord = async (slot: bigint) =>
    BigInt(await ask<Hex>("eth_getStorageAt", contract.address, `0x${slot.toString(16)}`, "latest"));
  const key = `${contract.address} ${label} ${keys.join(" ")} ${newestHead.value?.hash ?? ""}`;
  const loaded = useLoaded(key, () => readField(layout, label, keys, readWord));
  return <Waiting on={loaded}>{(values) => <Values values={values} />}</Waiting>;
}

function Values({ values }: { readonly values: readonly StorageValue[] }) {
  return (
    <dl class="facts">
      {values.map(({ path, type, slot, value }) => (
        <div key={path} style="display: contents">
          <dt title={`slot 0x${slot.toString(16)}`}>
            <code>{path}</code> <span class="mono">{type}</span>
          </dt>
          <dd class="mono" data-storage={path}>
            {value}
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
