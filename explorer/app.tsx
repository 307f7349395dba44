/** The frame of every page: navigation, search, and the page the address names. */

import { ComparePage } from "./contract/compare-page.tsx";
import { ErrorBoundary } from "./error-boundary.tsx";
import { LivePage } from "./live/live-page.tsx";
import { link } from "./live/live-state.ts";
import { ValidatorsPage } from "./live/validators-table.tsx";
import { AddressPage } from "./lookup/address-page.tsx";
import { BlockPage } from "./lookup/block-page.tsx";
import { MempoolPage } from "./lookup/mempool-page.tsx";
import { SearchBox } from "./lookup/search-box.tsx";
import { TransactionPage } from "./lookup/transaction-page.tsx";
import { linkTo, route } from "./route.ts";

const PAGES: readonly (readonly [string, string])[] = [
  ["", "live"],
  ["validators", "validators"],
  ["pool", "pool"],
];

export function App() {
  const [place = ""] = route.value;
  return (
    <>
      <a class="skip" href="#main">
        to the content
      </a>
      <header class="top">
        <a class="brand" href="#/">
          Jurat
        </a>
        <nav aria-label="pages">
          {PAGES.map(([path, name]) => (
            <a
              key={path}
              href={linkTo(...(path === "" ? [] : [path]))}
              aria-current={path === place ? "page" : undefined}
            >
              {name}
            </a>
          ))}
        </nav>
        <SearchBox />
      </header>
      <main id="main">
        {link.value === "lost" && (
          <p class="card banner" role="alert">
            The node does not answer; trying again.
          </p>
        )}
        <ErrorBoundary key={route.value.join("/")}>
          <Page />
        </ErrorBoundary>
      </main>
      <footer>Served by the node itself. Nothing else is asked.</footer>
    </>
  );
}

function Page() {
  const [place = "", first = "", second = ""] = route.value;
  switch (place) {
    case "":
      return <LivePage />;
    case "validators":
      return <ValidatorsPage />;
    case "pool":
      return <MempoolPage />;
    case "block":
      return <BlockPage name={first} />;
    case "tx":
      return <TransactionPage hash={first} />;
    case "address":
      return <AddressPage address={first} />;
    case "compare":
      return <ComparePage left={first} right={second} />;
    default:
      return (
        <section class="card">
          <h1>No such page</h1>
          <p>
            <a href="#/">Back to the chain</a>
          </p>
        </section>
      );
  }
}
