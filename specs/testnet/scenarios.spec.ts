import { deepEqual, equal, match, throws } from "node:assert/strict";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { join } from "node:path";
import { NetworkParamsError, parseNetworkParams } from "../../testnet/network-params.ts";
import { parseTestnetOptions } from "../../testnet/options.ts";
import {
  describeFlood,
  type FloodWindow,
  floodFault,
  sumOf,
} from "../../testnet/scenarios/call-flood-verdict.ts";
import { startRelay } from "../../testnet/scenarios/relay.ts";
import { scenarioTable } from "../../testnet/scenarios/run-scenarios.ts";
import { withScratchDirectory } from "../support/scratch-directory.ts";

const read = (text: string) => parseNetworkParams(text, "net.yaml");

describe("network parameters", () => {
  it("are those of ethereum-package", () => {
    const text = `
participants:
  - el_type: jurat
    cl_type: jurat
    count: 3
    validator_count: 2
  - validator_count: 2
network_params:
  network_id: "8701"
  seconds_per_slot: 2
`;
    deepEqual(read(text), { nodes: 4, validatorsPerNode: 2, slotSeconds: 2, chainId: 8701 });
    deepEqual(read("network_params: {num_validator_keys_per_node: 3}"), { validatorsPerNode: 3 });
    deepEqual(read("participants: [{count: 2}]\nnetwork_params: {num_validator_keys_per_node: 3}"), {
      nodes: 2,
      validatorsPerNode: 3,
    });
    deepEqual(read(""), {});
  });

  it("are refused by name when they mean nothing here", () => {
    for (const [text, expected] of [
      ["participants: [{el_type: geth}]", /participants\.0\.el_type: expected jurat/],
      ["participants: [{count: 0}]", /participants\.0\.count/],
      ["network_params: {gas_limit: 5}", /network_params: .*gas_limit/],
      ["additional_services: [tx_fuzz]", /top level: .*additional_services/],
      ["participants: [{validator_count: 1}, {validator_count: 2}]", /as many validators as the others/],
      ["a: [", /is not YAML/],
      ["a: &x [1]\nb: *x", /is not YAML|top level/],
    ] as const) {
      throws(
        () => read(text),
        (error: unknown) => {
          equal(error instanceof NetworkParamsError, true, text);
          match((error as Error).message, expected);
          return true;
        },
      );
    }
  });

  it("give way to flags", async () => {
    await withScratchDirectory(async (dir) => {
      const path = join(dir, "net.yaml");
      writeFileSync(path, "participants: [{count: 7}]\nnetwork_params: {seconds_per_slot: 3}\n");
      const { nodes, slotSeconds } = parseTestnetOptions(["--network-params", path, "--nodes", "5"]);
      deepEqual([nodes, slotSeconds], [5, 3]);
      throws(() => parseTestnetOptions(["--network-params", join(dir, "none")]), NetworkParamsError);
    });
  });
});

describe("the relay between two nodes", () => {
  it("passes on, is cut, and passes on again", async () => {
    const echo = createServer((socket) => socket.pipe(socket).on("error", () => undefined));
    echo.listen(0, "127.0.0.1");
    await once(echo, "listening");
    const relay = await startRelay((echo.address() as AddressInfo).port);
    const dial = () => connect(relay.port, "127.0.0.1").on("error", () => undefined);
    const answers = async (socket: Socket) => {
      socket.write("x");
      return String(((await once(socket, "data")) as [Buffer])[0]);
    };
    const first = dial();
    equal(await answers(first), "x");
    const gone = once(first, "close");
    relay.cut();
    await gone;
    await once(dial(), "close");
    relay.open();
    const second = dial();
    equal(await answers(second), "x");
    const ended = once(second, "close");
    await relay.close();
    await ended;
    echo.close();
  });
});

describe("the scenarios' table", () => {
  it("says what failed and why", () => {
    const table = scenarioTable([
      { scenario: "finalizes", passed: true, seconds: 12.34, reason: "" },
      { scenario: "partition", passed: false, seconds: 99, reason: "finality resumes: not after 60 slots" },
    ]);
    equal(
      table,
      `
  scenario         result     time
  finalizes        pass     12.3 s
  partition        FAIL     99.0 s  finality resumes: not after 60 slots

  2 run, 1 failed`,
    );
  });
});

describe("the verdict on a flood of calls", () => {
  const quiet: FloodWindow = {
    ...{ slots: 40, nodes: 4, validators: 4, emptySlots: 0, lateVotes: 0, asked: 50, answered: 50 },
  };
  const verdict = (more: Partial<FloodWindow>, before: Partial<FloodWindow> = {}) =>
    floodFault({ ...quiet, ...before }, { ...quiet, ...more });

  it("is what it cost in votes and blocks beyond a quiet time", () => {
    equal(verdict({}), undefined);
    equal(verdict({ emptySlots: 4, lateVotes: 19 }), undefined);
    equal(verdict({ lateVotes: 20 }), "3.1 % more votes were late than in quiet");
    equal(verdict({ emptySlots: 8 }), "5.0 % more slots were empty than in quiet");
    equal(verdict({ emptySlots: 8, lateVotes: 30 }, { emptySlots: 6, lateVotes: 20 }), undefined);
  });

  it("is a fault when eth_chainId was not answered", () => {
    equal(verdict({ answered: 49 }), "eth_chainId was answered 49 of 50 times");
  });

  it("counts quiet times and floods that alternate together", () => {
    const busy = { ...quiet, emptySlots: 3, lateVotes: 8, asked: 20, answered: 19 };
    const together = { slots: 80, nodes: 4, validators: 4, emptySlots: 3, lateVotes: 8 };
    deepEqual(sumOf([quiet, busy]), { ...together, asked: 70, answered: 69 });
    deepEqual(sumOf([busy]), busy);
  });

  it("is told in shares", () => {
    equal(
      describeFlood({ ...quiet, emptySlots: 4, lateVotes: 16 }),
      "40 slots, 2.5 % empty, 2.5 % of votes late, eth_chainId 50 of 50",
    );
  });
});
