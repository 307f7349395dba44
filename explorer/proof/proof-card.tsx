/** What the page has proven by itself, and on whose word it began. */
import { Card } from "../card.tsx";
import { formatCount, shorten } from "../display.ts";
import { Mark } from "./mark.tsx";
import { proof, trustAnew } from "./proof-state.ts";

export function ProofCard() {
  const { value } = proof;
  return (
    <Card title="Checked in this browser">
      {value.state === "starting" && <p class="quiet">Asking for a proof of finality…</p>}
      {value.state === "unavailable" && (
        <p>
          <Mark state="reported" /> Nothing can be checked: {value.reason}
        </p>
      )}
      {value.state === "lie" && (
        <>
          <p data-proof="lie">
            <Mark state="lie" /> What the node sent does not prove what it says ({value.error.detail.code}).
          </p>
          <p class="quiet">
            A chain that was started anew looks the same.{" "}
            <button type="button" onClick={trustAnew}>
              trust this node’s validators anew
            </button>
          </p>
        </>
      )}
      {value.state === "following" && (
        <>
          <p data-proof="following">
            <Mark state="verified" /> Block {formatCount(value.final.header.number)} is final: two thirds of
            the stake signed for it, and the signatures were checked here.
          </p>
          <p class="quiet">
            Trusted: validators <span class="mono">{shorten(value.checkpoint.root)}</span>
            {value.isFirstUse
              ? ", on this node’s word alone since this first visit. To be sure, compare the root with somebody you trust."
              : ", carried on from your last visit or the address."}
          </p>
        </>
      )}
    </Card>
  );
}
