import { deepEqual, equal, match, ok } from "node:assert/strict";
import { request } from "node:http";
import { readExplorerPages } from "../../node/explorer-pages.ts";
import { withServer } from "../rpc/server-fixture.ts";

/** Compressed, without the engine: what a phone has to load first. */
const PAGE_LIMIT_BYTES = 300_000;

/** A GET whose headers are exactly these. */
function get(url: string, headers: Record<string, string> = {}) {
  return new Promise<{ status: number; headers: Record<string, unknown>; body: Buffer }>(
    (resolve, reject) => {
      request(url, { headers }, (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("end", () =>
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            body: Buffer.concat(chunks),
          }),
        );
      })
        .on("error", reject)
        .end();
    },
  );
}

describe("the explorer's files", () => {
  const pages = readExplorerPages();

  const ENGINE = ["/boot.bin", "/engine.wasm"];

  it("are one page, one script, one style sheet, an icon, and the engine", () => {
    const page = ["/", "/icon.svg", "/index.html", "/page.css", "/page.js"];
    deepEqual([...pages.keys()].sort(), [...page, ...ENGINE].sort());
  });

  it("take less than 300 KB compressed, without the engine", () => {
    const files = [...pages].filter(([path]) => path !== "/" && !ENGINE.includes(path));
    ok(files.reduce((sum, [, { gzip }]) => sum + gzip.length, 0) < PAGE_LIMIT_BYTES);
  });

  it("name no other origin to load from", () => {
    for (const path of ["/index.html", "/page.css"]) {
      const text = Buffer.from(pages.get(path)?.body ?? []).toString("utf8");
      equal(/(src|href)="(https?:)?\/\/|url\((?!data:)["']?(https?:)?\/\//.test(text), false, path);
    }
  });

  it("are served with a policy that runs only them", () =>
    withServer(
      async ({ url }) => {
        const { status, headers, body } = await get(`${url}/`);
        equal(status, 200);
        match(body.toString("utf8"), /<div id="app">/);
        match(String(headers["content-security-policy"]), /default-src 'none'; script-src 'self'/);
        match(String(headers["content-security-policy"]), /frame-ancestors 'none'/);
        equal(headers["x-content-type-options"], "nosniff");
      },
      {},
      pages,
    ));

  it("are compressed for who can read it, and not sent again to who has them", () =>
    withServer(
      async ({ url }) => {
        const packed = await get(`${url}/page.js`, { "accept-encoding": "gzip" });
        equal(packed.headers["content-encoding"], "gzip");
        const again = await get(`${url}/page.js`, { "if-none-match": String(packed.headers["etag"]) });
        deepEqual([again.status, again.body.length], [304, 0]);
      },
      {},
      pages,
    ));

  it("are behind the host check, and no path leads outside", () =>
    withServer(
      async ({ url }) => {
        equal((await get(`${url}/`, { host: "evil.example" })).status, 403);
        for (const path of ["/../package.json", "/%2e%2e/package.json", "/live", "/page.js/"]) {
          equal((await get(url + path)).status, 404, path);
        }
      },
      {},
      pages,
    ));

  it("are not there without the explorer", () =>
    withServer(async ({ url, live }) => {
      equal((await get(`${url}/`)).body.toString("utf8"), `${live.view.clientVersion}\n`);
      equal((await get(`${url}/page.js`)).status, 404);
    }));
});
