/** An account: what it has, what it did, and if it is a contract, all that its code says. */
import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { Card, Waiting } from "../card.tsx";
import { ReadFunctions, WriteFunctions } from "../contract/functions-view.tsx";
import { contractAt, type KnownContract } from "../contract/known-contracts.ts";
import { SourceView } from "../contract/source-view.tsx";
import { StorageView } from "../contract/storage-view.tsx";
import { formatCount } from "../display.ts";
import { useLoaded } from "../load.ts";
import type { Hex } from "../node/objects.ts";
import { linkTo } from "../route.ts";
import { AccountFacts } from "./account-facts.tsx";
import { AccountHistory } from "./account-history.tsx";
import { AddressLink } from "./links.tsx";
import { TokenView, tokenStandard } from "./token-view.tsx";

export function AddressPage({ address }: { readonly address: string }) {
  if (!/^0x[0-9a-fA-F]{40}$/.test(address)) {
    return (
      <Card>
        <p>{address} is no address: expected 0x and 40 hex digits.</p>
      </Card>
    );
  }
  return <Account address={address as Hex} />;
}

function Account({ address }: { readonly address: Hex }) {
  const contract = useLoaded(address, () => contractAt(address));
  return (
    <>
      <Card>
        <h1 class="mono">{address}</h1>
        <AccountFacts address={address} />
      </Card>
      <Waiting on={contract}>
        {(found) => (found === undefined ? null : <ContractView key={address} contract={found} />)}
      </Waiting>
      <AccountHistory address={address} />
    </>
  );
}

type Tab = { readonly name: string; readonly body: () => ComponentChildren };

function tabsOf(contract: KnownContract): readonly Tab[] {
  const standard = tokenStandard(contract);
  return [
    ...(standard === undefined
      ? []
      : [{ name: "token", body: () => <TokenView contract={contract} standard={standard} /> }]),
    { name: "source", body: () => <SourceView source={contract.source} /> },
    { name: "read", body: () => <ReadFunctions contract={contract} /> },
    { name: "write", body: () => <WriteFunctions contract={contract} /> },
    { name: "storage", body: () => <StorageView contract={contract} /> },
    { name: "ABI", body: () => <pre class="source">{JSON.stringify(contract.abi, null, 2)}</pre> },
  ];
}

function ContractView({ contract }: { readonly contract: KnownContract }) {
  const tabs = tabsOf(contract);
  const [chosen, setChosen] = useState(tabs[0]?.name ?? "source");
  const { implementation } = contract;
  return (
    <Card>
      <h2>
        Contract {contract.name} {contract.isUpgradeable && <span class="tag justified">upgradeable</span>}
      </h2>
      {implementation !== undefined && (
        <p>
          A proxy; its code is {implementation.name} at <AddressLink to={implementation.address} />
        </p>
      )}
      <div role="tablist" aria-label="about the contract">
        {tabs.map(({ name }) => (
          <span key={name}>
            <button
              type="button"
              role="tab"
              aria-selected={name === chosen}
              class={name === chosen ? "primary" : ""}
              onClick={() => setChosen(name)}
            >
              {name}
            </button>{" "}
          </span>
        ))}
        <a href={linkTo("compare", contract.address)}>compare</a>
      </div>
      <div role="tabpanel">{tabs.find(({ name }) => name === chosen)?.body()}</div>
      <p class="quiet">
        {formatCount(contract.source.split("\n").length)} lines; the source is what the chain stores and runs.
      </p>
    </Card>
  );
}
