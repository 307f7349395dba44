/** Events as the contracts that emitted them name them. */
import { Waiting } from "../card.tsx";
import { decodeLog } from "../contract/decode.ts";
import { contractAt } from "../contract/known-contracts.ts";
import { useLoaded } from "../load.ts";
import type { LogJson } from "../node/objects.ts";
import { DecodedView } from "./decoded-view.tsx";
import { AddressLink } from "./links.tsx";

export function LogsList({ logs }: { readonly logs: readonly LogJson[] }) {
  return (
    <>
      {logs.map((log) => (
        <fieldset key={`${log.transactionHash} ${log.logIndex}`}>
          <legend>
            <AddressLink to={log.address} isShort />
          </legend>
          <OneLog log={log} />
        </fieldset>
      ))}
    </>
  );
}

function OneLog({ log }: { readonly log: LogJson }) {
  const loaded = useLoaded(log.address, () => contractAt(log.address));
  return (
    <Waiting on={loaded}>
      {(contract) => {
        const decoded = decodeLog(contract?.abi, log);
        if (decoded !== undefined) return <DecodedView decoded={decoded} />;
        return <pre class="scroll mono">{[...log.topics, log.data].join("\n")}</pre>;
      }}
    </Waiting>
  );
}
