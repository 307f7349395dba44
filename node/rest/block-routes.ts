/** Headers and blocks. See specs/node/rest.md#blocks. */

import { toHex } from "../../primitives/bytes.ts";
import { blockJson, CONSENSUS_VERSION, headerJson } from "./block-json.ts";
import { canonicalRootAt, findBlock, loadBlock, parseRoot, treeBlocksWith } from "./find-block.ts";
import { get, json, numberOf, type Route } from "./route.ts";
import type { FoundBlock, RestView } from "./view.ts";

const VERSION_HEADER = { "eth-consensus-version": CONSENSUS_VERSION };

export function blockRoutes(view: RestView): readonly Route[] {
  const { containers } = view;
  return [
    get("/eth/v1/beacon/headers", ({ query }) => {
      const found = headersOf(view, query);
      return json({
        execution_optimistic: false,
        finalized: found.length > 0 && found.every(({ isFinalized }) => isFinalized),
        data: found.map((block) => headerJson(block, containers)),
      });
    }),
    get("/eth/v1/beacon/headers/{block_id}", ({ path }) => {
      const found = findBlock(view, path["block_id"] ?? "");
      return json({ ...provenanceOf(found), data: headerJson(found, containers) });
    }),
    get("/eth/v2/beacon/blocks/{block_id}", ({ path, prefersBytes }) => {
      const found = findBlock(view, path["block_id"] ?? "");
      if (prefersBytes)
        return { kind: "bytes", bytes: view.codec.encode(found.block), headers: VERSION_HEADER };
      const data = blockJson(found.block, containers);
      return json({ version: CONSENSUS_VERSION, ...provenanceOf(found), data }, VERSION_HEADER);
    }),
    get("/eth/v1/beacon/blocks/{block_id}/root", ({ path }) => {
      const found = findBlock(view, path["block_id"] ?? "");
      return json({ ...provenanceOf(found), data: { root: found.root } });
    }),
  ];
}

function provenanceOf({ isFinalized }: FoundBlock) {
  return { execution_optimistic: false, finalized: isFinalized };
}

/** Without a filter the head alone; of a slot that is final, the one block that is left. */
function headersOf(view: RestView, query: URLSearchParams): readonly FoundBlock[] {
  const slot = numberOf(query, "slot");
  const parent = query.get("parent_root");
  const parentRoot = parent === null ? undefined : parseRoot(parent, "parent_root");
  if (slot === undefined && parentRoot === undefined) return [findBlock(view, "head")];
  const roots = new Set(treeBlocksWith(view.engine, slot, parentRoot).map(({ root }) => root));
  const canonical = slot === undefined ? undefined : canonicalRootAt(view, slot);
  if (canonical !== undefined) roots.add(canonical);
  const found = [...roots].flatMap((root) => loadBlock(view, root) ?? []);
  return parentRoot === undefined
    ? found
    : found.filter(({ block }) => toHex(block.message.parentRoot) === parentRoot);
}
