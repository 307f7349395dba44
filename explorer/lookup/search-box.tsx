/** One box for everything: a block number, any hash, an address, a validator's index or key. */
import { useState } from "preact/hooks";
import { picture } from "../live/live-state.ts";
import { ask } from "../node/json-rpc.ts";
import { goTo } from "../route.ts";

export function SearchBox() {
  const [problem, setProblem] = useState("");
  const search = async (event: SubmitEvent) => {
    event.preventDefault();
    const form = event.currentTarget as HTMLFormElement;
    const text = String(new FormData(form).get("query") ?? "").trim();
    const place = await find(text).catch(() => undefined);
    setProblem(place === undefined ? `nothing found for “${text}”` : "");
    if (place === undefined) return;
    form.reset();
    goTo(...place);
  };
  return (
    <search>
      <form onSubmit={search}>
        <input
          type="search"
          name="query"
          aria-label="search"
          placeholder="block, transaction, address or validator"
          autocomplete="off"
          spellcheck={false}
        />
        {problem !== "" && (
          <span class="bad" role="alert">
            {problem}
          </span>
        )}
      </form>
    </search>
  );
}

/** The page that shows what `text` names. */
async function find(text: string): Promise<readonly string[] | undefined> {
  if (/^\d{1,15}$/.test(text)) return ["block", text];
  if (/^0x[0-9a-fA-F]{40}$/.test(text)) return ["address", text];
  if (/^0x[0-9a-fA-F]{64}$/.test(text)) {
    const transaction = await ask<object | null>("eth_getTransactionByHash", text);
    if (transaction !== null) return ["tx", text];
    const block = await ask<object | null>("eth_getBlockByHash", text, false);
    if (block !== null) return ["block", text];
    const byRoot = picture.value?.blocks.find(({ root }) => root === text.toLowerCase());
    return byRoot === undefined ? undefined : ["block", byRoot.blockHash];
  }
  const validator = picture.value?.validators.find(({ publicKey }) => publicKey === text.toLowerCase());
  return validator === undefined ? undefined : ["validators"];
}
