/** The front page: the chain as it grows. */
import { computed } from "@preact/signals";
import { Card } from "../card.tsx";
import { formatAge, formatCount, formatUnits, shorten, toNumber } from "../display.ts";
import { now } from "../now.ts";
import { Mark } from "../proof/mark.tsx";
import { ProofCard } from "../proof/proof-card.tsx";
import { linkTo } from "../route.ts";
import { BlockTree } from "./block-tree.tsx";
import { Chart } from "./chart.tsx";
import { heads, lags, link, newestHead, picture, transactionsPerSecond } from "./live-state.ts";
import { ValidatorsTable } from "./validators-table.tsx";

/** Rows of the list of newest blocks. */
const NEWEST_BLOCKS = 12;
const WEI_SHOWN_BELOW = 1_000_000n;

export function LivePage() {
  return (
    <>
      <Card title="Now">
        <Figures />
        <p>
          <Mark state="reported" />
        </p>
      </Card>
      <Card title="Blocks">
        <BlockTree />
        <p class="quiet">
          <span class="tag final">final</span> <span class="tag justified">justified</span>{" "}
          <span class="tag head">head</span> <span class="tag orphan">left behind</span>
        </p>
      </Card>
      <ProofCard />
      <Charts />
      <div class="columns">
        <Card title="Newest blocks">
          <NewestBlocks />
        </Card>
        {picture.value !== undefined && (
          <Card title={`Validators (${formatCount(picture.value.validatorCount)})`}>
            <ValidatorsTable validators={picture.value.validators.slice(0, NEWEST_BLOCKS)} />
            <a href={linkTo("validators")}>all validators</a>
          </Card>
        )}
      </div>
    </>
  );
}

function Figures() {
  const shown = picture.value;
  const head = newestHead.value;
  const figures: readonly (readonly [string, string, string])[] = [
    ["slot", shown === undefined ? "–" : formatCount(shown.slot), "slot"],
    ["block", head === undefined ? "–" : formatCount(toNumber(head.number)), "block"],
    ["finality lag", shown === undefined ? "0 slots" : `${shown.finalityLagSlots} slots`, "lag"],
    [
      "participation",
      shown === undefined ? "–" : `${shown.voters} of ${shown.activeValidators}`,
      "participation",
    ],
    ["transactions per second", transactionsPerSecond.value.toFixed(1), "rate"],
    ["gas used", head === undefined ? "–" : gasShare(head), "gas"],
    ["base fee", head === undefined ? "–" : feeText(BigInt(head.baseFeePerGas)), "fee"],
    ["peers", shown === undefined ? "–" : String(shown.peers), "peers"],
  ];
  return (
    <dl class="figures" data-link={link.value}>
      {figures.map(([name, value, key]) => (
        <div key={key}>
          <dt>{name}</dt>
          <dd data-figure={key}>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

/** Fees of a quiet chain fall to a few wei. */
function feeText(wei: bigint): string {
  return wei < WEI_SHOWN_BELOW ? `${wei} wei` : `${formatUnits(wei, 9, 3)} Gwei`;
}

function gasShare({
  gasUsed,
  gasLimit,
}: {
  readonly gasUsed: `0x${string}`;
  readonly gasLimit: `0x${string}`;
}): string {
  const percent = (toNumber(gasUsed) * 100) / toNumber(gasLimit);
  return `${percent.toFixed(percent < 10 ? 1 : 0)} %`;
}

const lagSlots = computed(() => lags.value.map(({ slot }) => slot));
const lagValues = computed(() => lags.value.map(({ lagSlots: lag }) => lag));
const participationValues = computed(() => lags.value.map(({ participation }) => participation * 100));
const blockNumbers = computed(() => heads.value.map(({ number }) => toNumber(number)));
const gasValues = computed(() => heads.value.map(({ gasUsed }) => toNumber(gasUsed) / 1e6));

function Charts() {
  const hasConsensus = lags.value.length > 0;
  return (
    <div class="columns">
      {hasConsensus && (
        <Card title="Finality lag, slots">
          <Chart label="finality lag" x={lagSlots.value} y={lagValues.value} colour="--final" />
        </Card>
      )}
      {hasConsensus && (
        <Card title="Participation, %">
          <Chart
            label="participation"
            x={lagSlots.value}
            y={participationValues.value}
            colour="--justified"
          />
        </Card>
      )}
      <Card title="Gas used, millions a block">
        <Chart label="gas used" x={blockNumbers.value} y={gasValues.value} colour="--head" />
      </Card>
    </div>
  );
}

function NewestBlocks() {
  const newest = heads.value.slice(-NEWEST_BLOCKS).reverse();
  return (
    <div class="scroll">
      <table>
        <thead>
          <tr>
            <th scope="col">block</th>
            <th scope="col">hash</th>
            <th scope="col" class="number">
              transactions
            </th>
            <th scope="col">age</th>
          </tr>
        </thead>
        <tbody>
          {newest.map((block) => (
            <tr key={block.hash}>
              <td>
                <a href={linkTo("block", toNumber(block.number))}>{formatCount(toNumber(block.number))}</a>
              </td>
              <td class="mono">{shorten(block.hash)}</td>
              <td class="number">{block.transactions.length}</td>
              <td>{formatAge(now.value - toNumber(block.timestamp))}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
