import { deepEqual, equal, match, ok } from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { containersOf } from "../../consensus/chain-containers.ts";
import { SignedBeaconBlockHeader } from "../../consensus/containers.ts";
import { processSlots } from "../../consensus/process-slots.ts";
import { exitSigningRoot } from "../../consensus/signature-sets.ts";
import { forkState, getStateRoot } from "../../consensus/state.ts";
import { sendList } from "../../node/rest/send-list.ts";
import { VALIDATOR_STATUSES, validatorStatus } from "../../node/rest/validator-status.ts";
import { toHex } from "../../primitives/bytes.ts";
import { BeaconApis } from "../support/beacon-apis.ts";
import { signCheaply } from "../support/consensus-stand-ins.ts";
import { makeBlock, signVote, voteData } from "../support/lone-engine.ts";
import { vectorsPath } from "../support/vectors.ts";
import { EventClient, PEER, type RestFixture, wholeChain, withRest } from "./rest-fixture.ts";

type Loose = Record<string, unknown>;
const dataOf = (body: unknown): Loose => (body as { readonly data: Loose }).data;

/** A chain with a block in every slot up to `last`, all voted for: final but for the last few blocks. */
async function grown({ bench, grow }: RestFixture, last: number) {
  const chain = wholeChain(bench, last);
  await grow(chain.slice(1));
  return chain;
}

describe("the beacon API", function () {
  this.timeout(60_000);

  it("answers as its OpenAPI source says", async function () {
    const apis = new BeaconApis(vectorsPath(this, "beacon-apis"));
    await withRest(4, async (fixture) => {
      const chain = await grown(fixture, 12);
      const [state, block] = ["/eth/v1/beacon/states/{state_id}", "/eth/v1/beacon"];
      const key = toHex(fixture.bench.publicKeys[2]!);
      for (const [path, values] of [
        ["/eth/v1/beacon/genesis"],
        ["/eth/v1/config/spec"],
        ["/eth/v1/config/fork_schedule"],
        ["/eth/v1/config/deposit_contract"],
        ...["head", "finalized", "justified", "genesis", "12", toHex(getStateRoot(chain[11]!.state))].flatMap(
          (id) =>
            [
              "root",
              "fork",
              "finality_checkpoints",
              "validators",
              "validator_balances",
              "randao",
              "committees",
            ].map((name) => [`${state}/${name}`, { state_id: id }] as const),
        ),
        [`${state}/pending_deposits`, { state_id: "head" }],
        [`${state}/pending_partial_withdrawals`, { state_id: "head" }],
        [`${state}/validators/{validator_id}`, { state_id: "head", validator_id: "1" }],
        [`${state}/validators/{validator_id}`, { state_id: "head", validator_id: key }],
        [`${block}/headers`],
        ...["head", "finalized", "genesis", "5", chain[4]!.root].flatMap(
          (id) =>
            [
              [`${block}/headers/{block_id}`, { block_id: id }],
              ["/eth/v2/beacon/blocks/{block_id}", { block_id: id }],
              [`${block}/blocks/{block_id}/root`, { block_id: id }],
            ] as const,
        ),
        ["/eth/v1/beacon/pool/voluntary_exits"],
        ...["syncing", "version", "identity", "peers", "peer_count"].map(
          (name) => [`/eth/v1/node/${name}`] as const,
        ),
      ] as readonly (readonly [string, Record<string, string>?])[]) {
        const answer = await fixture.get(path.replace(/\{(\w+)\}/g, (_, name) => values?.[name] ?? ""));
        equal(answer.status, 200, path);
        const isValid = apis.answer("get", path, 200);
        ok(isValid(answer.body), `${path}: ${JSON.stringify(isValid.errors)} ${JSON.stringify(answer.body)}`);
      }
      // The schemas do refuse what is wrong.
      ok(!apis.answer("get", "/eth/v1/beacon/genesis", 200)({ data: { genesis_time: 1 } }));
      for (const [path, status] of [
        ["/eth/v1/beacon/states/{state_id}/root", 400],
        ["/eth/v1/beacon/headers/{block_id}", 404],
      ] as const) {
        const answer = await fixture.get(
          path.replace(/\{\w+\}/, status === 400 ? "0x12" : `0x${"ab".repeat(32)}`),
        );
        equal(answer.status, status);
        ok(apis.answer("get", path, status)(answer.body));
      }
    });
  });

  it("knows states from the finalized block on, and carries them over empty slots", async () => {
    await withRest(4, async (fixture) => {
      const { bench, engine, get, submit } = fixture;
      const chain = await grown(fixture, 12);
      const rootOf = async (id: string) => (await get(`/eth/v1/beacon/states/${id}/root`)).body;
      const head = chain.at(-1)!.state;
      const answer = (state: Uint8Array, finalized: boolean) => ({
        execution_optimistic: false,
        finalized,
        data: { root: toHex(state) },
      });
      deepEqual(await rootOf("head"), answer(getStateRoot(head), false));
      deepEqual(await rootOf("0"), answer(getStateRoot(bench.genesis.state), true));
      const finalSlot = engine.blocks.get(engine.settled.root)!.slot;
      deepEqual(await rootOf("finalized"), answer(getStateRoot(chain[finalSlot]!.state), true));
      deepEqual(await rootOf(String(finalSlot)), await rootOf("finalized"));

      submit({ type: "tick", nowMs: 15_000 });
      const advanced = forkState(head);
      processSlots(advanced, 15, bench.params);
      deepEqual(await rootOf("15"), answer(getStateRoot(advanced), false));
      deepEqual(await get("/eth/v1/beacon/states/16/root").then(({ status, body }) => ({ status, body })), {
        status: 404,
        body: { code: 404, message: "State not found: the slot lies in the future" },
      });
      equal((await get("/eth/v1/beacon/states/2/root")).status, 404);
    });
  });

  it("gives a block as it was signed, as JSON and as SSZ, and headers with the same root", async () => {
    await withRest(4, async (fixture) => {
      const { bench, get, grow } = fixture;
      const chain = await grown(fixture, 9);
      const { SignedBeaconBlock } = containersOf(bench.params);
      const ssz = await get("/eth/v2/beacon/blocks/head", { accept: "application/octet-stream" });
      deepEqual(SignedBeaconBlock.deserialize(ssz.body as Uint8Array), chain.at(-1)!.signed);
      equal(ssz.headers.get("eth-consensus-version"), "electra");
      const { message } = dataOf((await get("/eth/v2/beacon/blocks/9")).body) as { readonly message: Loose };
      equal(message["slot"], "9");
      // A sibling of the head, which no vote supports.
      const sibling = makeBlock(bench, chain[8]!, 9, { graffiti: "other" });
      await grow([sibling]);
      const headers = dataOf(
        (await get("/eth/v1/beacon/headers?slot=9")).body,
      ) as unknown as readonly Loose[];
      deepEqual(
        headers.map(({ root, canonical }) => [root, canonical]).sort(),
        [[chain[9]!.root, true] as const, [sibling.root, false] as const].map((pair) => [...pair]).sort(),
      );
      for (const { root, header } of headers) {
        const { message: decoded } = SignedBeaconBlockHeader.fromJson(header);
        equal(toHex(SignedBeaconBlockHeader.fields.message.hashTreeRoot(decoded)), root);
      }
      const children = dataOf((await get(`/eth/v1/beacon/headers?parent_root=${chain[8]!.root}`)).body);
      equal((children as unknown as readonly unknown[]).length, 2);
      deepEqual((await get("/eth/v1/beacon/headers?slot=77")).body, {
        execution_optimistic: false,
        finalized: false,
        data: [],
      });
    });
  });

  it("names the newest block it can give as the head, while a newer one is on its way to the disk", async () => {
    await withRest(4, async (fixture) => {
      const { bench, get, grow, inOrder } = fixture;
      const chain = await grown(fixture, 5);
      const headRoot = async () => {
        const { body } = await get("/eth/v1/beacon/blocks/head/root");
        return (dataOf(body) as { readonly root: string }).root;
      };
      equal(await headRoot(), chain.at(-1)!.root);
      const next = makeBlock(bench, chain.at(-1)!, 6);
      const disk = Promise.withResolvers<void>();
      void inOrder.add(() => disk.promise);
      const growing = grow([next]);
      equal(fixture.engine.store.headRoot, next.root);
      equal(await headRoot(), chain.at(-1)!.root);
      disk.resolve();
      await growing;
      equal(await headRoot(), next.root);
    });
  });

  it("chooses validators by index, key and status, by query and by body", async () => {
    await withRest(4, async (fixture) => {
      const { bench, get, post } = fixture;
      await grown(fixture, 3);
      const key = toHex(bench.publicKeys[3]!);
      const path = "/eth/v1/beacon/states/head/validators";
      const indices = ({ body }: { readonly body: unknown }) =>
        (dataOf(body) as unknown as readonly Loose[]).map(({ index }) => String(index));
      deepEqual(indices(await get(path)), ["0", "1", "2", "3"]);
      deepEqual(indices(await get(`${path}?id=1,${key}&id=99`)), ["1", "3"]);
      deepEqual(indices(await get(`${path}?status=active`)), ["0", "1", "2", "3"]);
      deepEqual(indices(await get(`${path}?status=exited,pending_queued`)), []);
      const many = Array.from({ length: 100 }, (_, i) => `0x${i.toString(16).padStart(96, "0")}`);
      deepEqual(indices(await post(path, { ids: [...many, key] })), ["3"]);
      deepEqual(indices(await post(path, { ids: [key, "0"], statuses: ["active_ongoing"] })), ["3", "0"]);
      deepEqual(indices(await post("/eth/v1/beacon/states/head/validator_balances", ["2"])), ["2"]);
      const refused = async (query: string) => (await get(path + query)).status;
      equal(await refused("?id=0x12"), 400);
      equal(await refused("?status=tired"), 400);
      equal(await refused(`?id=${Array.from({ length: 65 }, (_, i) => i).join()}`), 414);
      equal((await get(`${path}/7`)).status, 404);
      equal((await post(path, [])).status, 400);
    });
  });

  it("says where a validator stands", () => {
    const never = Number.POSITIVE_INFINITY;
    const at = (
      eligible: number,
      active: number,
      exit: number,
      free: number,
      slashed = false,
      balance = 1n,
    ) =>
      validatorStatus(
        {
          ...{ pubkey: new Uint8Array(48), withdrawalCredentials: new Uint8Array(32), effectiveBalance: 32n },
          ...{ slashed, activationEligibilityEpoch: eligible, activationEpoch: active },
          ...{ exitEpoch: exit, withdrawableEpoch: free },
        },
        balance,
        10,
      );
    deepEqual(
      [
        at(never, never, never, never),
        at(5, 11, never, never),
        at(1, 10, never, never),
        at(1, 2, 11, 20),
        at(1, 2, 11, 20, true),
        at(1, 2, 10, 11),
        at(1, 2, 10, 11, true),
        at(1, 2, 5, 10),
        at(1, 2, 5, 10, false, 0n),
      ],
      [...VALIDATOR_STATUSES],
    );
  });

  it("refuses what it does not know in the API's own shape", async () => {
    await withRest(4, async ({ get, post, port }) => {
      for (const [path, code, message] of [
        ["/eth/v1/nothing", 404, /No such endpoint/],
        ["/eth/v1/beacon/states/head/committees?slot=-1", 400, /Invalid slot/],
        ["/eth/v1/beacon/states/head/committees?slot=1&epoch=5", 400, /Slot does not belong in epoch/],
        ["/eth/v1/beacon/states/head/committees?epoch=99999999", 400, /too far/],
        ["/eth/v1/beacon/states/head/randao?epoch=9999999", 400, /out of range/],
        ["/eth/v1/beacon/headers?parent_root=0x1", 400, /Invalid parent_root/],
        ["/eth/v1/node/peers?direction=up", 400, /Invalid direction/],
        ["/eth/v1/node/health?syncing_status=7", 400, /Invalid syncing status/],
        ["/eth/v1/events", 400, /none given/],
        ["/eth/v1/events?topics=head,weather", 400, /Invalid topic: weather/],
        ["/eth/v1/events?topics=head&last_event_id=x", 400, /Invalid Last-Event-ID/],
        ["/jurat/v1/rewards", 400, /Invalid id/],
      ] as const) {
        const answer = await get(path);
        const body = answer.body as { readonly code: number; readonly message: string };
        deepEqual([answer.status, body.code], [code, code], path);
        match(body.message, message);
      }
      equal((await post("/eth/v1/beacon/genesis", {})).status, 405);
      equal((await post("/eth/v1/beacon/pool/voluntary_exits", { message: 1 })).status, 400);
      const url = `http://127.0.0.1:${port}/eth/v1/beacon/states/head/validators`;
      const send = (body: string, type: string) =>
        fetch(url, { method: "POST", body, headers: { "content-type": type } }).then(({ status }) => status);
      equal(await send("{", "application/json"), 400);
      equal(await send("{}", "text/plain"), 415);
      equal(await send(JSON.stringify({ ids: ["1".repeat(2 ** 20)] }), "application/json"), 413);
    });
  });

  it("tells who it is, whom it knows and whether it is in step", async () => {
    await withRest(
      4,
      async ({ get, submit }) => {
        equal((await get("/eth/v1/node/health")).status, 200);
        submit({ type: "tick", nowMs: 900_000, clockOffsetMs: 10_000 });
        equal((await get("/eth/v1/node/health")).status, 206);
        equal((await get("/eth/v1/node/health?syncing_status=599")).status, 599);
        deepEqual(dataOf((await get("/eth/v1/node/syncing")).body), {
          ...{ head_slot: "0", sync_distance: "900", is_syncing: true },
          ...{ is_optimistic: false, el_offline: false },
        });
        const peer = dataOf((await get("/eth/v1/node/peers")).body) as unknown as readonly Loose[];
        deepEqual(peer, [
          {
            ...{ peer_id: PEER.id, enr: null, last_seen_p2p_address: PEER.address },
            ...{ state: "connected", direction: "inbound" },
          },
        ]);
        deepEqual(dataOf((await get("/eth/v1/node/peers?direction=outbound")).body), []);
      },
      { isSingleNode: false },
    );
  });

  it("sends a long list whole, and stops when the client leaves", async () => {
    let produced = 0;
    let isDone: (() => void) | undefined;
    const done = new Promise<void>((resolve) => (isDone = resolve));
    function* items(count: number) {
      for (let i = 0; i < count; i++) {
        produced = i;
        yield { index: String(i), padding: "x".repeat(1000) };
      }
    }
    const server = createServer((request, response) => {
      const count = Number(request.url?.slice(1));
      void sendList(response, { finalized: true }, items(count)).then(() => count > 5000 && isDone?.());
    }).listen(0, "127.0.0.1");
    await new Promise((resolve) => server.once("listening", resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const whole = (await (await fetch(`${url}/1000`)).json()) as { data: readonly Loose[] };
    deepEqual(
      whole.data.map(({ index }) => Number(index)),
      Array.from({ length: 1000 }, (_, i) => i),
    );
    deepEqual(await (await fetch(`${url}/0`)).json(), { finalized: true, data: [] });
    const controller = new AbortController();
    await fetch(`${url}/1000000`, { signal: controller.signal });
    controller.abort();
    await done;
    ok(produced < 999_999, "what nobody reads is not made");
    server.close();
  });
});

describe("exits handed in over the beacon API", () => {
  const PATH = "/eth/v1/beacon/pool/voluntary_exits";

  it("are judged, kept for a block and sent to the network", async () => {
    await withRest(4, async (fixture) => {
      const { bench, engine, published, get, post } = fixture;
      await grown(fixture, 3);
      const exit = (validatorIndex: number, epoch: number, signer = validatorIndex) => {
        const message = { epoch, validatorIndex };
        const root = exitSigningRoot(bench.genesis.state, message, bench.params);
        return {
          message: { epoch: String(epoch), validator_index: String(validatorIndex) },
          signature: toHex(signCheaply(bench.publicKeys[signer]!, root)),
        };
      };
      const refusal = async (body: unknown) => {
        const answer = await post(PATH, body);
        return [answer.status, (answer.body as { readonly message: string }).message];
      };
      const events = await EventClient.open(fixture.port, "voluntary_exit");
      equal((await post(PATH, exit(2, 1))).status, 200);
      deepEqual([...engine.operationPool.voluntaryExits.keys()], [2]);
      deepEqual(
        published.map(({ topic }) => topic),
        ["voluntary_exit"],
      );
      deepEqual((await events.next()).data, exit(2, 1));
      deepEqual(dataOf((await get(PATH)).body), [exit(2, 1)]);
      equal((await post(PATH, exit(2, 1))).status, 200, "again does no harm");
      const invalid = (text: string) => [400, `Invalid voluntary exit: ${text}`];
      const [wrongKey, tooEarly] = [await refusal(exit(1, 1, 0)), await refusal(exit(1, 9))];
      deepEqual(wrongKey, invalid("the signature is not the validator's over this message on this chain"));
      deepEqual(tooEarly, invalid("its epoch lies in the future"));
      deepEqual(await refusal(exit(9, 1, 0)), invalid("there is no such validator"));
      equal(published.length, 1);
      events.close();
    });
  });
});

describe("the beacon API's events", () => {
  it("tell of blocks, heads, finality and votes, each once it can be fetched", async () => {
    await withRest(4, async (fixture) => {
      const { bench, port, get, grow, submit } = fixture;
      const chain = wholeChain(bench, 5);
      const events = await EventClient.open(port, "block,head&topics=finalized_checkpoint");
      await grow(chain.slice(1, 3));
      const [block, head] = await events.take(2);
      deepEqual(block, {
        ...{ id: "run-1", event: "block" },
        data: { slot: "1", block: chain[1]!.root, execution_optimistic: false },
      });
      deepEqual(head, {
        ...{ id: "run-2", event: "head" },
        data: {
          ...{ slot: "1", block: chain[1]!.root, state: toHex(getStateRoot(chain[1]!.state)) },
          ...{ epoch_transition: true, execution_optimistic: false },
          ...{ previous_duty_dependent_root: chain[0]!.root, current_duty_dependent_root: chain[0]!.root },
        },
      });
      equal((await get(`/eth/v2/beacon/blocks/${chain[1]!.root}`)).status, 200);
      await events.take(2);
      await grow(chain.slice(3));
      const later = await events.take(7);
      const finality = later.find(({ event }) => event === "finalized_checkpoint")!;
      equal(
        finality.data["state"],
        toHex(getStateRoot(chain.find(({ root }) => root === finality.data["block"])!.state)),
      );
      events.close();

      const votes = await EventClient.open(port, "attestation,single_attestation");
      const vote = signVote(bench, voteData(bench, chain[5]!, 5), 2);
      submit({ type: "attestationsReceived", attestations: [vote], peer: "peer", messageId: "m1" });
      const [single, attestation] = await votes.take(2);
      equal(single?.data["attester_index"], "2");
      // Member 2 of 4, and the bit that ends the list.
      equal(attestation?.data["aggregation_bits"], "0x14");
      votes.close();
    });
  });

  it("go on where a client left off, and say when that is no longer possible", async () => {
    await withRest(4, async (fixture) => {
      const { bench, port, grow } = fixture;
      const chain = wholeChain(bench, 8);
      await grow(chain.slice(1, 5));
      const first = await EventClient.open(port, "block", "run-0");
      const seen = await first.take(2);
      first.close();
      await grow(chain.slice(5));
      const second = await EventClient.open(port, "block", seen[1]!.id);
      const rest = await second.take(6);
      deepEqual(
        [...seen, ...rest].map(({ data }) => data["slot"]),
        ["1", "2", "3", "4", "5", "6", "7", "8"],
      );
      second.close();
      const stranger = await EventClient.open(port, "block", "otherrun-5");
      const [gap, oldest] = await stranger.take(2);
      deepEqual([gap?.event, oldest?.data["slot"]], ["gap", "1"]);
      stranger.close();
    });
  });

  it("tell of a chain that was given up for another", async () => {
    await withRest(4, async (fixture) => {
      const { bench, port, grow, submit } = fixture;
      //  3 - 4 - 5        the head until three of four vote for 4'
      //    \ 4'
      const chain = wholeChain(bench, 5);
      const rival = makeBlock(bench, chain[3]!, 4, { graffiti: "rival" });
      await grow(chain.slice(1));
      const events = await EventClient.open(port, "chain_reorg,head");
      await grow([rival]);
      const attestations = [0, 1, 2].map((voter) => signVote(bench, voteData(bench, rival, 5), voter));
      submit({ type: "attestationsReceived", attestations, peer: "peer", messageId: "m1" });
      submit({ type: "tick", nowMs: 6000 });
      submit({ type: "tick", nowMs: 6600 });
      await fixture.inOrder.settled();
      const [reorg, head] = await events.take(2);
      deepEqual(reorg, {
        ...{ id: reorg?.id, event: "chain_reorg" },
        data: {
          ...{ slot: "4", depth: "2", epoch: "4", execution_optimistic: false },
          ...{ old_head_block: chain[5]!.root, new_head_block: rival.root },
          old_head_state: toHex(getStateRoot(chain[5]!.state)),
          new_head_state: toHex(getStateRoot(rival.state)),
        },
      });
      deepEqual([head?.event, head?.data["block"]], ["head", rival.root]);
      events.close();
    });
  });
});
