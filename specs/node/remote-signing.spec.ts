import { deepEqual, equal, match, ok, rejects, throws } from "node:assert/strict";
import { containersOf } from "../../consensus/chain-containers.ts";
import {
  aggregateSigningRoot,
  attestationSigningRoot,
  exitSigningRoot,
  headerSigningRoot,
  randaoSigningRoot,
  selectionSigningRoot,
} from "../../consensus/signature-sets.ts";
import { startRestServer } from "../../node/rest/rest-server.ts";
import { signerRoutes } from "../../node/signer/signer-routes.ts";
import { SlashingProtection } from "../../node/storage/slashing-protection.ts";
import { createRemoteSigner, fetchRemoteKeys } from "../../node/validator/remote-signer.ts";
import { parseSignerUrl } from "../../node/validator/signer-url.ts";
import {
  decodeSigningRequest,
  encodeSigningRequest,
  type SigningMessage,
  SigningMessageError,
  signingRootOf,
} from "../../node/validator/signing-message.ts";
import { blsPublicKey, blsSign, blsVerify } from "../../primitives/bls.ts";
import { fromHex, type Hex, toHex } from "../../primitives/bytes.ts";
import { interopSecretKey } from "../../primitives/interop-keys.ts";
import { withAnswers } from "../support/answering-server.ts";
import { createWorkbench } from "../support/lone-engine.ts";
import { withScratchDatabase } from "../support/scratch-database.ts";

const bench = createWorkbench(4);
const { params, genesis } = bench;
const { state } = genesis;
const genesisValidatorsRoot = state.genesisValidatorsRoot;
const chain = { params, genesisValidatorsRoot };
const secretKey = interopSecretKey(0);
const publicKey = toHex(blsPublicKey(secretKey));
const root = (fill: number) => new Uint8Array(32).fill(fill);

const vote = (source: number, target: number, head = 1) => ({
  type: "ATTESTATION" as const,
  attestation: {
    ...{ slot: target, index: 0, beaconBlockRoot: root(head) },
    source: { epoch: source, root: root(2) },
    target: { epoch: target, root: root(3) },
  },
});
const block = (slot: number, fill = 1) => ({
  type: "BLOCK_V2" as const,
  header: { slot, proposerIndex: 0, parentRoot: root(fill), stateRoot: root(2), bodyRoot: root(3) },
});
const aggregate = containersOf(params).AggregateAndProof.defaultValue();
const MESSAGES: readonly (readonly [SigningMessage, Uint8Array])[] = [
  [vote(3, 5), attestationSigningRoot(state, vote(3, 5).attestation, params)],
  [block(7), headerSigningRoot(state, block(7).header, params)],
  [{ type: "RANDAO_REVEAL", epoch: 9 }, randaoSigningRoot(state, 9, params)],
  [{ type: "AGGREGATION_SLOT", slot: 8 }, selectionSigningRoot(state, 8, params)],
  [{ type: "AGGREGATE_AND_PROOF", aggregate }, aggregateSigningRoot(state, aggregate, params)],
  [
    { type: "VOLUNTARY_EXIT", exit: { epoch: 4, validatorIndex: 1 } },
    exitSigningRoot(state, { epoch: 4, validatorIndex: 1 }, params),
  ],
];

describe("requests to sign", () => {
  it("name the message, its fork and its root, and are read back as they were", () => {
    for (const [message, signingRoot] of MESSAGES) {
      deepEqual(signingRootOf(message, chain), signingRoot, message.type);
      const request = JSON.parse(JSON.stringify(encodeSigningRequest(message, signingRoot, chain))) as object;
      deepEqual(decodeSigningRequest(request, chain), { message, signingRoot });
    }
    const [first] = MESSAGES;
    deepEqual(encodeSigningRequest(first![0], first![1], chain), {
      type: "ATTESTATION",
      fork_info: {
        fork: {
          previous_version: params.forks[0]!.version,
          current_version: params.forks[0]!.version,
          epoch: "0",
        },
        genesis_validators_root: toHex(genesisValidatorsRoot),
      },
      signingRoot: toHex(first![1]),
      attestation: {
        ...{ slot: "5", index: "0", beacon_block_root: toHex(root(1)) },
        source: { epoch: "3", root: toHex(root(2)) },
        target: { epoch: "5", root: toHex(root(3)) },
      },
    });
  });

  it("are refused of another chain, with another root, of an unknown type, or in pieces", () => {
    const [message, signingRoot] = MESSAGES[0]!;
    const good = encodeSigningRequest(message, signingRoot, chain);
    const bad: readonly (readonly [unknown, RegExp])[] = [
      [
        encodeSigningRequest(message, signingRoot, { params, genesisValidatorsRoot: root(1) }),
        /another chain/,
      ],
      [{ ...good, signingRoot: toHex(root(1)) }, /signingRoot is not that of the message/],
      [{ ...good, type: "DEPOSIT" }, /nothing of type DEPOSIT to sign/],
      [{ ...good, type: "BLOCK_V2" }, /beacon_block is not an object/],
      [{ ...good, attestation: { slot: "1" } }, /fields of ATTESTATION are not what they must be/],
      [{ ...good, type: "RANDAO_REVEAL", randao_reveal: { epoch: "-1" } }, /epoch is not a number/],
      [{ ...good, fork_info: undefined }, /fork_info is not an object/],
      [[], /the body is not an object/],
    ];
    for (const [body, problem] of bad) {
      throws(
        () => decodeSigningRequest(body, chain),
        (error) => error instanceof SigningMessageError && problem.test(error.message),
      );
    }
  });

  it("go to web servers only, and never with a password in the address", () => {
    equal(parseSignerUrl("https://signer.example:9000/eth/"), "https://signer.example:9000/eth");
    for (const text of ["", "signer", "ftp://signer", "http://me:pw@signer", "http://signer/?token=1"])
      equal(parseSignerUrl(text), undefined);
  });
});

const never = new AbortController().signal;
const sign = (url: string, deadlineMs = 60_000, stopped = never) => {
  const [message, signingRoot] = MESSAGES[0]!;
  return createRemoteSigner({ chain, deadlineMs, stopped })(url, publicKey, message, signingRoot);
};
const signature = toHex(blsSign(secretKey, MESSAGES[0]![1]));

describe("a remote signer is asked", () => {
  it("and its signature taken, as JSON or as plain text", async () => {
    for (const text of [JSON.stringify({ signature }), signature, `${signature}\n`]) {
      await withAnswers(
        (response) => response.end(text),
        async (url) => deepEqual(await sign(url), { signature: fromHex(signature) }),
      );
    }
  });

  it("again with the very same request while it cannot answer, and not once it said no", async () => {
    await withAnswers(
      (response, _body, attempt) => {
        if (attempt === 1) response.destroy();
        else if (attempt === 2) response.writeHead(503).end("starting");
        else response.end(JSON.stringify({ signature }));
      },
      async (url, bodies) => {
        deepEqual(await sign(url), { signature: fromHex(signature) });
        equal(bodies.length, 3);
        equal(new Set(bodies).size, 1);
      },
    );
    const refusals = [
      [412, "Signing operation could be slashable", "REFUSED"],
      [404, "no such key", "UNKNOWN_KEY"],
      [400, "?", "BAD_ANSWER"],
      [200, "{}", "BAD_ANSWER"],
      [200, "x".repeat(300), "BAD_ANSWER"],
      [
        200,
        JSON.stringify({ signature: toHex(blsSign(interopSecretKey(1), MESSAGES[0]![1])) }),
        "WRONG_SIGNATURE",
      ],
      [200, JSON.stringify({ signature: toHex(blsSign(secretKey, root(1))) }), "WRONG_SIGNATURE"],
      [200, `0x${"00".repeat(96)}`, "WRONG_SIGNATURE"],
    ] as const;
    for (const [status, text, fault] of refusals) {
      await withAnswers(
        (response) => response.writeHead(status).end(text),
        async (url, bodies) => {
          const answer = await sign(url);
          ok("fault" in answer);
          deepEqual([answer.fault, bodies.length], [fault, 1]);
        },
      );
    }
  });

  it("for its keys, which are a list of keys or nothing", async () => {
    const key = `0x${"aB".repeat(48)}`;
    const answers = [
      JSON.stringify([key]),
      "{",
      "{}",
      '[{"toString":1}]',
      '["0x12"]',
      `["${"a".repeat(2 ** 20)}"]`,
    ];
    const heard: unknown[] = [];
    for (const text of answers) {
      await withAnswers(
        (response) => response.end(text),
        async (url) => {
          heard.push(
            await fetchRemoteKeys(url, 60_000).catch((error) => error.message.replace(/^http\S* /, "")),
          );
        },
      );
    }
    const none = "answers no list of public keys";
    deepEqual(heard, [[key.toLowerCase()], none, none, none, none, "an answer of more than 1048576 bytes"]);
  });

  it("until the deadline, or until the node stops, and no redirect is followed", async () => {
    const gone = await sign("http://127.0.0.1:1", 200);
    ok("fault" in gone && gone.fault === "UNREACHABLE");
    match(gone.reason, /ECONNREFUSED|bad port/);
    await withAnswers(
      () => undefined,
      async (url) => {
        const silent = await sign(url, 200);
        ok("fault" in silent && silent.fault === "UNREACHABLE");
        const stopping = new AbortController();
        const stopped = sign(url, 600_000, stopping.signal);
        stopping.abort();
        ok("fault" in (await stopped));
      },
    );
    await withAnswers(
      (response) => response.writeHead(307, { location: "http://127.0.0.1:9/" }).end(),
      async (url) => {
        const answer = await sign(url, 200);
        ok("fault" in answer && answer.fault === "UNREACHABLE");
      },
    );
  });
});

describe("our signer", () => {
  const withOurs = (use: (url: string, protection: SlashingProtection) => Promise<void>) =>
    withScratchDatabase("validator", async (database) => {
      const protection = new SlashingProtection(database);
      const faults: unknown[] = [];
      const server = await startRestServer({
        ...{ host: "127.0.0.1", port: 0, virtualHosts: [], corsOrigins: [] },
        routes: signerRoutes({
          ...{ chain, protection, secretKeys: new Map([[publicKey, secretKey]]) },
          ...{ onSigned: () => undefined, onRefused: () => undefined },
        }),
        onFault: (error) => faults.push(error),
      });
      try {
        await use(`http://127.0.0.1:${server.port}`, protection);
      } finally {
        await server.close();
      }
      deepEqual(faults, []);
    });
  const ask = async (url: string, message: SigningMessage, key: Hex = publicKey) => {
    const signingRoot = signingRootOf(message, chain);
    const answer = await createRemoteSigner({ chain, deadlineMs: 60_000, stopped: never })(
      ...([url, key, message, signingRoot] as const),
    );
    return "fault" in answer ? answer.fault : blsVerify(fromHex(key), signingRoot, answer.signature);
  };

  it("says that it is there, tells its keys and signs every kind of message", async () => {
    await withOurs(async (url) => {
      const up = await fetch(`${url}/upcheck`);
      deepEqual([up.status, await up.text()], [200, "OK"]);
      deepEqual(await fetchRemoteKeys(url, 60_000), [publicKey]);
      for (const [message] of MESSAGES) equal(await ask(url, message), true, message.type);
      equal(await ask(url, vote(6, 7), toHex(bench.publicKeys[1]!)), "UNKNOWN_KEY");
      await rejects(fetchRemoteKeys(`${url}/nothing`, 60_000), /answers 404/);
    });
  });

  it("signs nothing that could be slashed, and the same message again", async () => {
    await withOurs(async (url, protection) => {
      equal(await ask(url, vote(3, 5)), true);
      equal(await ask(url, vote(3, 5)), true);
      equal(await ask(url, vote(3, 5, 99)), "REFUSED");
      equal(await ask(url, vote(2, 6)), "REFUSED");
      equal(await ask(url, block(7)), true);
      equal(await ask(url, block(7, 9)), "REFUSED");
      deepEqual(protection.historyOf(publicKey).block?.slot, 7);
    });
  });

  it("refuses a root that is not the message's, before its protection remembers anything", async () => {
    await withOurs(async (url, protection) => {
      const request = encodeSigningRequest(vote(3, 5), root(1), chain);
      const response = await fetch(`${url}/api/v1/eth2/sign/${publicKey}`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(request),
      });
      equal(response.status, 400);
      match(await response.text(), /signingRoot is not that of the message/);
      equal(protection.historyOf(publicKey).attestation, undefined);
    });
  });
});
