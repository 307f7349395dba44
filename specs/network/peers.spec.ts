/** Scores: what a fault costs, what time forgives. See peers.md */
import { deepEqual, equal, ok } from "node:assert/strict";
import {
  BAN_MS,
  BAN_SCORE,
  MAX_SCORED_PEERS,
  PENALTY,
  PeerScores,
  type PenaltyReason,
  SCORE_HALF_LIFE_MS,
} from "../../node/network/peer-score.ts";

describe("peers: score", () => {
  let nowMs = 0;
  let scores: PeerScores;
  beforeEach(() => {
    nowMs = 1_000_000;
    scores = new PeerScores(() => nowMs);
  });

  it("is zero for a peer without fault", () => {
    equal(scores.score("a"), 0);
    equal(scores.isBanned("a"), false);
  });

  it("adds the penalties of one peer and of no other", () => {
    scores.penalize("a", "timeout");
    scores.penalize("a", "lie");
    equal(scores.score("a"), -PENALTY.timeout - PENALTY.lie);
    equal(scores.score("b"), 0);
  });

  it("forgives half in one half-life", () => {
    scores.penalize("a", "lie");
    nowMs += SCORE_HALF_LIFE_MS;
    equal(scores.score("a"), -PENALTY.lie / 2);
  });

  it("bans at the bottom, says so once, and only for a while", () => {
    deepEqual(
      [scores.penalize("a", "lie"), scores.penalize("a", "lie"), scores.penalize("a", "lie")],
      [false, true, false],
    );
    ok(scores.score("a") <= BAN_SCORE);
    equal(scores.isBanned("a"), true);
    nowMs += BAN_MS;
    equal(scores.isBanned("a"), false);
    equal(scores.score("a"), 0);
  });

  it("bans a peer of another chain at once", () => {
    equal(scores.penalize("a", "otherChain"), true);
  });

  it("never bans an honest peer that is late now and then", () => {
    for (let minute = 0; minute < 1000; minute++) {
      scores.penalize("a", "timeout");
      nowMs += 60_000;
    }
    equal(scores.isBanned("a"), false);
  });

  it("remembers a bounded number of peers, the latest offenders", () => {
    for (let i = 0; i <= MAX_SCORED_PEERS; i++) scores.penalize(`peer-${i}`, "lie");
    equal(scores.score("peer-0"), 0);
    equal(scores.score(`peer-${MAX_SCORED_PEERS}`), -PENALTY.lie);
  });

  it("has a positive price for every fault", () => {
    for (const reason of Object.keys(PENALTY) as PenaltyReason[]) ok(PENALTY[reason] > 0, reason);
  });
});
