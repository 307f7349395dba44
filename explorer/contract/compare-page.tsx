/** Two contracts' sources, line by line. */
import { Card, Waiting } from "../card.tsx";
import { useLoaded } from "../load.ts";
import { AddressLink } from "../lookup/links.tsx";
import type { Hex } from "../node/objects.ts";
import { goTo } from "../route.ts";
import { contractAt, type KnownContract } from "./known-contracts.ts";
import { compareLines } from "./line-difference.ts";
import { SourceView } from "./source-view.tsx";

export function ComparePage({ left, right }: { readonly left: string; readonly right: string }) {
  return (
    <>
      <Card title="Compare two contracts">
        <form
          onSubmit={(event) => {
            event.preventDefault();
            const form = new FormData(event.currentTarget);
            goTo("compare", String(form.get("left")), String(form.get("right")));
          }}
        >
          <label>
            one <input name="left" value={left} required pattern="0x[0-9a-fA-F]{40}" />
          </label>
          <label>
            and another <input name="right" value={right} required pattern="0x[0-9a-fA-F]{40}" />
          </label>{" "}
          <button type="submit">compare</button>
        </form>
      </Card>
      {left !== "" && right !== "" && <Comparison left={left as Hex} right={right as Hex} />}
    </>
  );
}

function Comparison({ left, right }: { readonly left: Hex; readonly right: Hex }) {
  const loaded = useLoaded(`${left} ${right}`, () => Promise.all([contractAt(left), contractAt(right)]));
  return (
    <Waiting on={loaded}>
      {([one, other]) =>
        one === undefined || other === undefined ? (
          <Card>
            <p>There is no contract at {one === undefined ? left : right}.</p>
          </Card>
        ) : (
          <DifferenceView one={one} other={other} />
        )
      }
    </Waiting>
  );
}

function DifferenceView({ one, other }: { readonly one: KnownContract; readonly other: KnownContract }) {
  const lines = compareLines(one.source, other.source);
  const changed = lines.filter(({ side }) => side !== "both").length;
  const classOf = { both: "", left: "removed", right: "added" };
  return (
    <Card title={changed === 0 ? "The same source" : `${changed} lines differ`}>
      <p>
        <span class="removed">
          {one.name} <AddressLink to={one.address} isShort />
        </span>{" "}
        <span class="added">
          {other.name} <AddressLink to={other.address} isShort />
        </span>
      </p>
      <SourceView
        source={lines.map(({ text }) => text).join("\n")}
        lineClass={(line) => classOf[lines[line - 1]?.side ?? "both"]}
      />
    </Card>
  );
}
