/** Which contract called which, with gas, value and the reason of every failure. */
import { Card, Waiting } from "../card.tsx";
import { decodeCall, decodeRevert } from "../contract/decode.ts";
import { contractAt, type KnownContract } from "../contract/known-contracts.ts";
import { formatCount, formatJur, toNumber } from "../display.ts";
import { useLoaded } from "../load.ts";
import { ask } from "../node/json-rpc.ts";
import type { CallFrameJson, Hex } from "../node/objects.ts";
import { AddressLink } from "./links.tsx";

type Traced = { readonly root: CallFrameJson; readonly contracts: ReadonlyMap<Hex, KnownContract> };

/** Contracts whose ABI is fetched for one tree. */
const CONTRACTS_LIMIT = 24;

export function CallTree({ hash }: { readonly hash: Hex }) {
  const loaded = useLoaded(hash, () => fetchTrace(hash));
  return (
    <Card title="Calls">
      <Waiting on={loaded}>
        {({ root, contracts }) => (
          <div class="calls">
            <ul>
              <CallRow frame={root} contracts={contracts} />
            </ul>
          </div>
        )}
      </Waiting>
    </Card>
  );
}

async function fetchTrace(hash: Hex): Promise<Traced> {
  const root = await ask<CallFrameJson>("debug_traceTransaction", hash, { tracer: "callTracer" });
  const targets = [...new Set(targetsOf(root))].slice(0, CONTRACTS_LIMIT);
  const known = await Promise.all(targets.map((target) => contractAt(target).catch(() => undefined)));
  const contracts = new Map<Hex, KnownContract>();
  for (const [index, target] of targets.entries()) {
    const contract = known[index];
    if (contract !== undefined) contracts.set(target, contract);
  }
  return { root, contracts };
}

function targetsOf({ to, calls = [] }: CallFrameJson): Hex[] {
  return [...(to === undefined ? [] : [to]), ...calls.flatMap(targetsOf)];
}

function CallRow({ frame, contracts }: { readonly frame: CallFrameJson } & Pick<Traced, "contracts">) {
  const { to, value = "0x0", calls = [] } = frame;
  const contract = to === undefined ? undefined : contracts.get(to);
  return (
    <li>
      <span class="quiet mono">{frame.type.toLowerCase()}</span>{" "}
      {to !== undefined && <AddressLink to={to} isShort />}{" "}
      {contract !== undefined && <strong>{contract.name}</strong>} <code>{callText(frame, contract)}</code>{" "}
      {BigInt(value) > 0n && <span>{formatJur(BigInt(value))} </span>}
      <span class="quiet">{formatCount(toNumber(frame.gasUsed))} gas</span>
      {frame.error !== undefined && <FailureText frame={frame} contract={contract} />}
      {calls.length > 0 && (
        <ul>
          {calls.map((call, index) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: calls of a frame are told apart by their order.
            <CallRow key={index} frame={call} contracts={contracts} />
          ))}
        </ul>
      )}
    </li>
  );
}

function callText({ type, input }: CallFrameJson, contract: KnownContract | undefined): string {
  if (type.startsWith("CREATE") || input === "0x") return "";
  const decoded = contract === undefined ? undefined : decodeCall(contract.abi, input);
  if (decoded === undefined) return input.slice(0, 10);
  return `${decoded.name}(${decoded.values.map(({ value }) => value).join(", ")})`;
}

function FailureText({
  frame,
  contract,
}: {
  readonly frame: CallFrameJson;
  readonly contract: KnownContract | undefined;
}) {
  const { error = "", revertReason, output = "0x" } = frame;
  const decoded = decodeRevert(contract?.abi ?? [], output);
  const reason =
    decoded === undefined
      ? revertReason
      : `${decoded.name}(${decoded.values.map(({ name, value }) => `${name}: ${value}`).join(", ")})`;
  return (
    <strong class="bad" data-reason={reason ?? error}>
      {" "}
      {error}
      {reason !== undefined && `: ${reason}`}
    </strong>
  );
}
