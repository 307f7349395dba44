import { deepEqual, equal, match, notEqual, ok, rejects } from "node:assert/strict";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { SignedVoluntaryExit } from "../../consensus/containers.ts";
import { exitSigningRoot } from "../../consensus/signature-sets.ts";
import { encodeInterchange, parseInterchange } from "../../node/validator/interchange.ts";
import { KEY_FOLDER } from "../../node/validator/key-folder.ts";
import { loadKeyring } from "../../node/validator/keyring.ts";
import { blsVerify } from "../../primitives/bls.ts";
import { fromHex, type Hex, toHex } from "../../primitives/bytes.ts";
import { BeaconApis } from "../support/beacon-apis.ts";
import { withScratchDirectory } from "../support/scratch-directory.ts";
import { vectorsPath } from "../support/vectors.ts";
import {
  blockWish,
  type FixtureOptions,
  type KeymanagerFixture,
  keystoreOf,
  PASSWORD,
  publicKeyOf,
  withKeymanager,
} from "./keymanager-fixture.ts";

const KEYSTORES = "/eth/v1/keystores";
const REMOTE_KEYS = "/eth/v1/remotekeys";
type Statuses = {
  readonly data: readonly { readonly status: string; readonly message?: string }[];
  readonly slashing_protection: string;
};

const withFresh = (use: (fixture: KeymanagerFixture) => Promise<void>, options?: FixtureOptions) =>
  withScratchDirectory((dir) => withKeymanager(dir, use, options));
const importBody = (indices: readonly number[], slashing_protection?: string) => ({
  keystores: indices.map(keystoreOf),
  passwords: indices.map(() => PASSWORD),
  slashing_protection,
});
const statusesOf = (body: unknown) => (body as Statuses).data.map(({ status }) => status);
const keysIn = async ({ ask }: KeymanagerFixture): Promise<readonly Hex[]> => {
  const { body } = await ask("GET", KEYSTORES);
  return (body as { data: { validating_pubkey: Hex }[] }).data.map((key) => key.validating_pubkey).sort();
};
const rootOf = ({ engine }: KeymanagerFixture) => toHex(engine.chain.genesisValidatorsRoot);
const modeOf = (path: string) => statSync(path).mode & 0o777;

describe("the keymanager API: token", () => {
  it("is made at the first start for its owner only, and kept", async () => {
    await withScratchDirectory(async (dir) => {
      const path = join(dir, "keymanager-token");
      await withKeymanager(dir, async () => undefined);
      const token = readFileSync(path, "utf8");
      match(token, /^0x[0-9a-f]{64}\n$/);
      equal(modeOf(path), 0o600);
      await withKeymanager(dir, async () => undefined);
      equal(readFileSync(path, "utf8"), token);
    });
  });

  it("is asked for on every path: 401 without one, 403 with another", async () => {
    await withFresh(async ({ ask }) => {
      for (const path of [KEYSTORES, "/eth/v1/nothing"]) {
        const none = await ask("GET", path, undefined, null);
        deepEqual([none.status, none.body], [401, { code: 401, message: "A bearer token is needed" }]);
        const wrong = await ask("GET", path, undefined, `0x${"00".repeat(32)}`);
        equal(wrong.status, 403);
      }
      equal((await ask("GET", "/eth/v1/nothing")).status, 404);
    });
  });

  it("ends the start when its file is open to others, holds no token, or is not there though named", async () => {
    await withScratchDirectory(async (dir) => {
      const tokenFile = join(dir, "token");
      const starting = () => withKeymanager(dir, async () => undefined, { tokenFile });
      await rejects(starting(), /cannot read the keymanager's token.*no such file/);
      writeFileSync(tokenFile, "hunter2\n", { mode: 0o600 });
      await rejects(starting(), /holds no token: expected at least 32 bytes of hex/);
      writeFileSync(tokenFile, "ab".repeat(32));
      chmodSync(tokenFile, 0o644);
      await rejects(starting(), /is open to others \(mode 0644\): run chmod 600/);
      equal(readFileSync(tokenFile, "utf8"), "ab".repeat(32));
    });
  });
});

describe("the keymanager API: import", () => {
  it("puts keys into use at once and over restarts, in private files", async () => {
    await withScratchDirectory(async (dir) => {
      await withKeymanager(dir, async (fixture) => {
        const { ask, events } = fixture;
        const { status, body } = await ask("POST", KEYSTORES, importBody([0, 2]));
        deepEqual([status, statusesOf(body)], [200, ["imported", "imported"]]);
        deepEqual(
          events.map((event) => (event.type === "localValidatorsJoined" ? event.validatorIndices : event)),
          [[0], [2]],
        );
        deepEqual(await keysIn(fixture), [publicKeyOf(0), publicKeyOf(2)].sort());
      });
      const folder = join(dir, KEY_FOLDER);
      equal(modeOf(folder), 0o700);
      equal(readdirSync(folder).length, 4);
      for (const name of readdirSync(folder)) equal(modeOf(join(folder, name)), 0o600, name);
      await withKeymanager(dir, async (fixture) => {
        deepEqual(await keysIn(fixture), [publicKeyOf(0), publicKeyOf(2)].sort());
      });
    });
  });

  it("tells of each keystore whether it was imported, and lets none harm another", async () => {
    await withFresh(async (fixture) => {
      const other = JSON.parse(keystoreOf(3)) as object;
      const keystores = [
        ...[keystoreOf(0), keystoreOf(0), keystoreOf(1), "{", "{}"],
        JSON.stringify({ ...other, pubkey: publicKeyOf(2).slice(2) }),
        keystoreOf(2),
      ];
      const passwords = keystores.map((_, index) => (index === 2 ? "wrong" : PASSWORD));
      const { status, body } = await fixture.ask("POST", KEYSTORES, { keystores, passwords });
      equal(status, 200);
      const { data } = body as Statuses;
      deepEqual(
        data.map(({ status }) => status),
        ["imported", "duplicate", "error", "error", "error", "error", "imported"],
      );
      equal(data[2]!.message, "wrong password");
      match(data[3]!.message ?? "", /not JSON/);
      match(data[4]!.message ?? "", /no validator keystore \(EIP-2335\): crypto/);
      match(data[5]!.message ?? "", /not the one it names/);
      deepEqual(await keysIn(fixture), [publicKeyOf(0), publicKeyOf(2)].sort());
    });
  });

  it("takes over what the keys signed elsewhere before they can sign here", async () => {
    await withFresh(async (fixture) => {
      const history = {
        publicKey: publicKeyOf(1),
        attestation: { sourceEpoch: 6, targetEpoch: 9, signingRoot: undefined },
        block: { slot: 12, signingRoot: undefined },
      };
      const interchange = encodeInterchange([history], rootOf(fixture));
      await fixture.ask("POST", KEYSTORES, importBody([1], interchange));
      deepEqual(fixture.protection.historyOf(publicKeyOf(1)), history);
      const block = (slot: number) => fixture.signer.signBlock(blockWish(1, slot));
      deepEqual(await block(12), [undefined]);
      equal((await block(13))[0]?.length, 96);
    });
  });

  it("imports nothing with an interchange of another chain, or with none that is whole", async () => {
    await withFresh(async (fixture) => {
      for (const [interchange, problem] of [
        [encodeInterchange([], `0x${"11".repeat(32)}`), /nothing was imported: INTERCHANGE_OTHER_CHAIN/],
        ["{", /INTERCHANGE_NOT_JSON/],
        ["{}", /INTERCHANGE_MALFORMED/],
      ] as const) {
        const { status, body } = await fixture.ask("POST", KEYSTORES, importBody([0], interchange));
        equal(status, 400);
        match((body as { message: string }).message, problem);
      }
      deepEqual([await keysIn(fixture), fixture.events], [[], []]);
      ok(!existsSync(join(fixture.dir, KEY_FOLDER)));
    });
  });

  it("refuses what is no request, before anything is done", async () => {
    await withFresh(async ({ ask }) => {
      const answers = [
        await ask("POST", KEYSTORES, "{"),
        await ask("POST", KEYSTORES, []),
        await ask("POST", KEYSTORES, { keystores: [keystoreOf(0)], passwords: [] }),
        await ask("POST", KEYSTORES, { keystores: [1], passwords: ["x"] }),
        await ask("DELETE", KEYSTORES, { pubkeys: ["0x12"] }),
        // No text can be made of it, not even for the answer.
        await ask("POST", "/eth/v1/remotekeys", { remote_keys: [{ pubkey: { toString: 1 } }] }),
        await ask("POST", "/eth/v1/remotekeys", {
          remote_keys: [{ pubkey: publicKeyOf(0), url: { toString: 1 } }],
        }),
        await ask("POST", KEYSTORES, { keystores: new Array(513).fill("{}"), passwords: [] }),
        await ask("POST", KEYSTORES, `{"keystores": "${"a".repeat(17 * 1024 * 1024)}"}`),
        await ask("PUT", KEYSTORES, {}),
      ];
      deepEqual(
        answers.map(({ status }) => status),
        [400, 400, 400, 400, 400, 400, 400, 413, 413, 405],
      );
    });
  });

  it("listens first for who else signs with the key, when the node does so", async () => {
    await withFresh(
      async ({ ask, events }) => {
        deepEqual(statusesOf((await ask("POST", KEYSTORES, importBody([0]))).body), ["imported"]);
        deepEqual(events, []);
      },
      { listensFirst: true },
    );
  });
});

describe("the keymanager API: delete", () => {
  it("ends a key's use, removes its files, and hands over what it signed, also when asked again", async () => {
    await withScratchDirectory(async (dir) => {
      await withKeymanager(dir, async (fixture) => {
        const { ask, events, signer } = fixture;
        await ask("POST", KEYSTORES, importBody([0, 1]));
        await signer.signBlock(blockWish(0, 5));
        events.length = 0;
        const pubkeys = [publicKeyOf(0), publicKeyOf(3)];
        const first = (await ask("DELETE", KEYSTORES, { pubkeys })).body as Statuses;
        deepEqual(statusesOf(first), ["deleted", "not_found"]);
        deepEqual(parseInterchange(first.slashing_protection, rootOf(fixture)), [
          {
            publicKey: publicKeyOf(0),
            attestation: undefined,
            block: { slot: 5, signingRoot: `0x${"00".repeat(32)}` },
          },
        ]);
        deepEqual(events, [{ type: "localValidatorsLeft", validatorIndices: [0] }]);
        deepEqual(await signer.signBlock(blockWish(0, 6)), [undefined]);
        deepEqual(await keysIn(fixture), [publicKeyOf(1)]);
        const again = (await ask("DELETE", KEYSTORES, { pubkeys })).body as Statuses;
        deepEqual(statusesOf(again), ["not_active", "not_found"]);
        equal(again.slashing_protection, first.slashing_protection);
      });
      deepEqual(
        readdirSync(join(dir, KEY_FOLDER)).filter((name) => name.startsWith(publicKeyOf(0))),
        [],
      );
      await withKeymanager(dir, async (fixture) => deepEqual(await keysIn(fixture), [publicKeyOf(1)]));
    });
  });

  it("lets a key sign nothing that was on its way to the disk", async () => {
    await withFresh(async ({ ask, signer, protection }) => {
      await ask("POST", KEYSTORES, importBody([0]));
      const asked = ask("DELETE", KEYSTORES, { pubkeys: [publicKeyOf(0)] });
      const signed: (readonly [number, Uint8Array | undefined])[] = [];
      for (let slot = 1; slot <= 50; slot++) {
        signed.push([slot, (await signer.signBlock(blockWish(0, slot)))[0]]);
      }
      const { slashing_protection } = (await asked).body as Statuses;
      const handedOver = (
        JSON.parse(slashing_protection) as { data: { signed_blocks: { slot: string }[] }[] }
      ).data[0]!.signed_blocks[0];
      const last = Math.max(0, ...signed.filter(([, bytes]) => bytes !== undefined).map(([slot]) => slot));
      ok(last <= Number(handedOver?.slot ?? 0), `signed ${last}, told of ${handedOver?.slot}`);
      ok((protection.blockWatermark(publicKeyOf(0))?.slot ?? 0) >= last);
    });
  });

  it("keeps on signing, and says so, where a key's file cannot go", async () => {
    await withScratchDirectory(async (dir) => {
      const sources = { interop: { first: 0, last: 0 } };
      await withKeymanager(
        dir,
        async (fixture) => {
          const { body } = await fixture.ask("DELETE", KEYSTORES, { pubkeys: [publicKeyOf(0)] });
          const { data, slashing_protection } = body as Statuses;
          deepEqual(data, [
            { status: "error", message: "a development key of --interop-keys: start without it instead" },
          ]);
          deepEqual(parseInterchange(slashing_protection, rootOf(fixture)), []);
          deepEqual(await keysIn(fixture), [publicKeyOf(0)]);
        },
        { sources },
      );
    });
  });

  it("removes a keystore of the operator's folder from it", async () => {
    await withScratchDirectory(async (dir) => {
      const keystores = { dir: join(dir, "given"), passwordFile: join(dir, "password") };
      mkdirSync(keystores.dir);
      writeFileSync(join(keystores.dir, "a.json"), keystoreOf(0), { mode: 0o600 });
      writeFileSync(keystores.passwordFile, `${PASSWORD}\n`, { mode: 0o600 });
      const sources = { keystores };
      await withKeymanager(
        dir,
        async (fixture) => {
          const { body } = await fixture.ask("DELETE", KEYSTORES, { pubkeys: [publicKeyOf(0)] });
          deepEqual(statusesOf(body), ["deleted"]);
        },
        { sources },
      );
      deepEqual(readdirSync(keystores.dir), []);
      await withKeymanager(dir, async (fixture) => deepEqual(await keysIn(fixture), []), { sources });
    });
  });
});

describe("the keymanager API: remote keys", () => {
  it("come and go, each at its signer or the node's, and stay over a restart", async () => {
    const [first, second, third] = [0, 1, 2].map(publicKeyOf) as [Hex, Hex, Hex];
    const url = "http://127.0.0.1:9999/signer";
    const withSigner = { remoteSigner: "http://127.0.0.1:9010" };
    await withScratchDirectory(async (dir) => {
      await withKeymanager(
        dir,
        async ({ ask, events }) => {
          await ask("POST", KEYSTORES, importBody([2]));
          const remote_keys = [
            { pubkey: first, url },
            { pubkey: second },
            { pubkey: first },
            { pubkey: third },
          ];
          const { body } = await ask("POST", REMOTE_KEYS, { remote_keys });
          deepEqual(statusesOf(body), ["imported", "imported", "duplicate", "duplicate"]);
          equal(events.length, 3);
          const pubkeys = [second];
          const byKeystore = (await ask("DELETE", KEYSTORES, { pubkeys })).body as Statuses;
          deepEqual(statusesOf(byKeystore), ["error"]);
          match(byKeystore.data[0]!.message ?? "", /still used: delete it by \/eth\/v1\/remotekeys/);
        },
        { config: withSigner },
      );
      await withKeymanager(dir, async (fixture) => {
        const { ask, events } = fixture;
        const listed = (await ask("GET", REMOTE_KEYS)).body as { data: { pubkey: Hex }[] };
        deepEqual(
          listed.data.sort((a, b) => (a.pubkey < b.pubkey ? -1 : 1)),
          [
            { pubkey: first, url, readonly: false },
            { pubkey: second, url: withSigner.remoteSigner, readonly: false },
          ].sort((a, b) => (a.pubkey < b.pubkey ? -1 : 1)),
        );
        deepEqual(await keysIn(fixture), [third]);
        const { body } = await ask("DELETE", REMOTE_KEYS, { pubkeys: [first, third, publicKeyOf(3)] });
        deepEqual(statusesOf(body), ["deleted", "not_found", "not_found"]);
        deepEqual(events, [{ type: "localValidatorsLeft", validatorIndices: [0] }]);
        const refused = [
          await ask("POST", REMOTE_KEYS, { remote_keys: [{ pubkey: first, url: "file:///etc/passwd" }] }),
          await ask("POST", REMOTE_KEYS, { remote_keys: [{ pubkey: first, url: "http://me:pw@host" }] }),
          await ask("POST", REMOTE_KEYS, { remote_keys: [{ url }] }),
        ];
        deepEqual(
          refused.map(({ status }) => status),
          [400, 400, 400],
        );
        const lost = await ask("POST", REMOTE_KEYS, { remote_keys: [{ pubkey: first }] });
        deepEqual(lost.body, {
          data: [{ status: "error", message: "no url, and the node has no --remote-signer" }],
        });
      });
    });
  });
});

describe("the keymanager API: what a key proposes", () => {
  it("is the flags' until it is set, holds over a restart, and goes with the key", async () => {
    await withScratchDirectory(async (dir) => {
      const path = (name: string, index = 0) => `/eth/v1/validator/${publicKeyOf(index)}/${name}`;
      const address = `0x${"ab".repeat(20)}`;
      const preferenceOf = async ({ ask }: KeymanagerFixture, name: string) =>
        ((await ask("GET", path(name))).body as { data: object }).data;
      const pubkey = publicKeyOf(0);
      await withKeymanager(dir, async (fixture) => {
        const { ask } = fixture;
        await ask("POST", KEYSTORES, importBody([0]));
        deepEqual(await preferenceOf(fixture, "feerecipient"), {
          pubkey,
          ethaddress: `0x${"fe".repeat(20)}`,
        });
        deepEqual(await preferenceOf(fixture, "gas_limit"), { pubkey, gas_limit: "30000000" });
        deepEqual(await preferenceOf(fixture, "graffiti"), { pubkey, graffiti: "jurat" });
        equal((await ask("POST", path("feerecipient"), { ethaddress: address })).status, 202);
        equal((await ask("POST", path("gas_limit"), { gas_limit: "20000000" })).status, 202);
        equal((await ask("POST", path("graffiti"), { graffiti: "mine" })).status, 202);
        const refused = [
          await ask("POST", path("feerecipient"), { ethaddress: `0x${"00".repeat(20)}` }),
          await ask("POST", path("gas_limit"), { gas_limit: "1" }),
          await ask("POST", path("graffiti"), { graffiti: "a".repeat(33) }),
          await ask("POST", path("graffiti"), {}),
          await ask("GET", path("graffiti", 1)),
          await ask("GET", "/eth/v1/validator/0x12/graffiti"),
        ];
        deepEqual(
          refused.map(({ status }) => status),
          [400, 400, 400, 400, 404, 400],
        );
      });
      await withKeymanager(dir, async (fixture) => {
        deepEqual(await preferenceOf(fixture, "feerecipient"), { pubkey, ethaddress: address });
        deepEqual(await preferenceOf(fixture, "gas_limit"), { pubkey, gas_limit: "20000000" });
        equal((await fixture.ask("DELETE", path("gas_limit"))).status, 204);
        deepEqual(await preferenceOf(fixture, "gas_limit"), { pubkey, gas_limit: "30000000" });
        await fixture.ask("DELETE", KEYSTORES, { pubkeys: [pubkey] });
        await fixture.ask("POST", KEYSTORES, importBody([0]));
        deepEqual(await preferenceOf(fixture, "graffiti"), { pubkey, graffiti: "jurat" });
      });
    });
  });

  it("may be an exit, signed for the validator and this chain", async () => {
    await withFresh(async ({ ask, engine, bench }) => {
      await ask("POST", KEYSTORES, importBody([1, 9]));
      const exitOf = (index: number, query = "") =>
        ask("POST", `/eth/v1/validator/${publicKeyOf(index)}/voluntary_exit${query}`);
      const { data } = (await exitOf(1, "?epoch=7")).body as { data: unknown };
      const { message, signature } = SignedVoluntaryExit.fromJson(data);
      deepEqual(message, { epoch: 7, validatorIndex: 1 });
      const root = exitSigningRoot(bench.genesis.state, message, engine.chain.params);
      equal(blsVerify(fromHex(publicKeyOf(1)), root, signature), true);
      deepEqual(
        [(await exitOf(9)).status, (await exitOf(2)).status, (await exitOf(1, "?epoch=x")).status],
        [404, 404, 400],
      );
    });
  });
});

describe("the keymanager API: shape", () => {
  it("is that of its description", async function () {
    const apis = new BeaconApis(vectorsPath(this, "keymanager-apis"), "keymanager-oapi.yaml");
    const check = (method: "get" | "post" | "delete", path: string, status: number, body: unknown) => {
      const validate = apis.answer(method, path, status);
      ok(validate(body), `${method} ${path} ${status}: ${JSON.stringify(validate.errors)}`);
    };
    await withFresh(async ({ ask }) => {
      const imported = await ask("POST", KEYSTORES, importBody([0]));
      check("post", KEYSTORES, 200, imported.body);
      check("get", KEYSTORES, 200, (await ask("GET", KEYSTORES)).body);
      const remote_keys = [{ pubkey: publicKeyOf(1), url: "http://127.0.0.1:9010" }];
      check("post", REMOTE_KEYS, 200, (await ask("POST", REMOTE_KEYS, { remote_keys })).body);
      check("get", REMOTE_KEYS, 200, (await ask("GET", REMOTE_KEYS)).body);
      const pubkeys = [publicKeyOf(1)];
      check("delete", REMOTE_KEYS, 200, (await ask("DELETE", REMOTE_KEYS, { pubkeys })).body);
      check("get", KEYSTORES, 401, (await ask("GET", KEYSTORES, undefined, null)).body);
      check("get", KEYSTORES, 403, (await ask("GET", KEYSTORES, undefined, "00")).body);
      check("post", KEYSTORES, 400, (await ask("POST", KEYSTORES, {})).body);
      for (const name of ["feerecipient", "gas_limit", "graffiti"]) {
        const path = `/eth/v1/validator/{pubkey}/${name}`;
        const answer = await ask("GET", path.replace("{pubkey}", publicKeyOf(0)));
        check("get", path, 200, answer.body);
      }
      const exit = "/eth/v1/validator/{pubkey}/voluntary_exit";
      check("post", exit, 200, (await ask("POST", exit.replace("{pubkey}", publicKeyOf(0)))).body);
      check("delete", KEYSTORES, 200, (await ask("DELETE", KEYSTORES, { pubkeys: [publicKeyOf(0)] })).body);
    });
  });
});

describe("validator keys on disk", () => {
  const load = (dir: string, given = join(dir, "given")) =>
    loadKeyring({ dir, interop: undefined, keystores: { dir: given, passwordFile: join(dir, "password") } });

  it("are refused when their files are more open than they may be", async () => {
    await withScratchDirectory(async (dir) => {
      mkdirSync(join(dir, "given"));
      const keystore = join(dir, "given", "a.json");
      const password = join(dir, "password");
      writeFileSync(password, PASSWORD, { mode: 0o600 });
      writeFileSync(keystore, keystoreOf(0), { mode: 0o600 });
      for (const mode of [0o400, 0o440, 0o640]) {
        chmodSync(keystore, mode);
        equal((await load(dir)).size, 1);
      }
      for (const mode of [0o604, 0o660]) {
        chmodSync(keystore, mode);
        await rejects(load(dir), /a\.json is open to everyone or may be changed by others/);
      }
      chmodSync(keystore, 0o600);
      chmodSync(password, 0o640);
      await rejects(load(dir), /password is open to others \(mode 0640\): run chmod 600/);
    });
  });

  it("are refused when one is there twice", async () => {
    await withScratchDirectory(async (dir) => {
      mkdirSync(join(dir, "given"));
      writeFileSync(join(dir, "password"), PASSWORD, { mode: 0o600 });
      for (const name of ["a.json", "b.json"])
        writeFileSync(join(dir, "given", name), keystoreOf(0), { mode: 0o600 });
      await rejects(load(dir), /is there twice: in .*a\.json and .*b\.json; leave one out/);
    });
  });

  it("that a crash left half written are not there, and are written anew", async () => {
    await withScratchDirectory(async (dir) => {
      const folder = join(dir, KEY_FOLDER);
      mkdirSync(folder, { mode: 0o700 });
      // Killed after the password, and in the middle of the keystore.
      writeFileSync(join(folder, `${publicKeyOf(0)}.password`), "other", { mode: 0o600 });
      writeFileSync(join(folder, `${publicKeyOf(0)}.json.new`), keystoreOf(0).slice(0, 99), { mode: 0o644 });
      await withKeymanager(dir, async (fixture) => {
        deepEqual(await keysIn(fixture), []);
        deepEqual(statusesOf((await fixture.ask("POST", KEYSTORES, importBody([0]))).body), ["imported"]);
      });
      await withKeymanager(dir, async (fixture) => {
        deepEqual(await keysIn(fixture), [publicKeyOf(0)]);
        notEqual(readFileSync(join(folder, `${publicKeyOf(0)}.password`), "utf8"), "other");
      });
    });
  });
});
