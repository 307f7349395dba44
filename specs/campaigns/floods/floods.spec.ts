import { deepEqual, equal, match } from "node:assert/strict";
import { SHARED_TOPICS } from "../../../node/network/gossip-topics.ts";
import { PROTOCOL_NAMES } from "../../../node/network/protocols.ts";
import { allFloods, GOSSIP_KINDS, REQUEST_KINDS } from "./flood-matrix.ts";
import { type FloodResult, faultsOf, floodTable } from "./flood-table.ts";
import { sampleSum } from "./node-figures.ts";

const calm: FloodResult = {
  ...{ kind: "nothing", seconds: 10, reports: [] },
  ...{ residentBytes: 200 << 20, grownBytes: 0, lagP99Ms: 12, lagMaxMs: 40 },
  ...{ peerBans: 0, addressBans: 0, missedVotes: 0, dueVotes: 40, emptySlots: 0 },
};
const report = { target: "status", sent: 100, admitted: 4, thrownOut: 4, readmitted: 0 };

describe("the campaign of floods", () => {
  it("aims every kind at every topic and protocol the node has", () => {
    const floods = allFloods().map(({ kind, target }) => `${kind} ${target}`);
    for (const topic of [...SHARED_TOPICS, "beacon_attestation_0"]) {
      for (const kind of GOSSIP_KINDS) equal(floods.includes(`${kind} ${topic}`), true);
    }
    for (const name of PROTOCOL_NAMES) {
      for (const kind of REQUEST_KINDS) equal(floods.includes(`${kind} ${name}`), true);
    }
    equal(new Set(floods).size, floods.length);
  });

  it("reads sums of samples by their labels", () => {
    const text =
      'a_total{who="peer"} 3\na_total{who="address"} 4\n# a_total 9\na_total_more{who="peer"} 9\nb 2.5\n';
    deepEqual(
      [sampleSum(text, "a_total"), sampleSum(text, "a_total", { who: "peer" }), sampleSum(text, "b")],
      [7, 3, 2.5],
    );
  });

  it("passes when the attacker was thrown out, no vote is missing, and memory is bounded", () => {
    deepEqual(faultsOf({ ...calm, kind: "half-open", reports: [report] }, calm), []);
  });

  it("says what was not as it should be", () => {
    const bad = {
      ...{ ...calm, kind: "half-open", grownBytes: 600 << 20, missedVotes: 1 },
      ...{ lagP99Ms: calm.lagP99Ms + 251, lagMaxMs: calm.lagMaxMs + 1001 },
    };
    const reports = [
      { ...report, thrownOut: 3, readmitted: 1 },
      { ...report, target: "goodbye", admitted: 0, thrownOut: 0 },
    ];
    deepEqual(faultsOf({ ...bad, reports }, calm), [
      "1 votes are missing, 0 may be",
      "memory grew by 600 MB",
      "lag p99 is 251 ms more than in peace",
      "lag max is 1001 ms more than in peace",
      "status: 3 of 4 nodes threw the attacker out",
      "status: 1 nodes let the attacker in again",
      "goodbye: let in by nobody, nothing was tried",
    ]);
    const { text, passed } = floodTable([calm, { ...bad, reports }]);
    equal(passed, false);
    match(text, /half-open +2 .*FAIL/);
  });

  it("lets who keeps within a quota stay, and come back", () => {
    const slow = { ...report, sent: 4 * 14_336, thrownOut: 1, readmitted: 1 };
    deepEqual(faultsOf({ ...calm, kind: "duplicate", reports: [slow] }, calm), []);
    const fast = { ...slow, sent: slow.sent + 1 };
    equal(faultsOf({ ...calm, kind: "duplicate", reports: [fast] }, calm).length, 2);
  });

  it("allows for votes that the machine misses by itself, and for a refused address", () => {
    const busy = { ...calm, missedVotes: 4 };
    equal(faultsOf({ ...calm, missedVotes: 10 }, busy).length, 0);
    equal(faultsOf({ ...calm, missedVotes: 11 }, busy).length, 1);
    deepEqual(faultsOf({ ...calm, reports: [{ ...report, thrownOut: 0 }], addressBans: 4 }, calm), []);
  });
});
