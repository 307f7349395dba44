import { equal } from "node:assert/strict";
import { readableLine } from "../../node/log.ts";

describe("the readable log", () => {
  const time = "2026-01-02T03:04:05.678Z";

  it("is a time, a message and its fields, with long roots cut", () => {
    equal(
      readableLine(
        JSON.stringify({ level: 30, time, msg: "slot", slot: 42, head: `0x1a2b3c4d${"0".repeat(56)}` }),
      ),
      "03:04:05.678 slot  slot 42  head 0x1a2b3c4d…\n",
    );
  });

  it("marks what needs an operator, and shows an error in one line", () => {
    const err = { type: "CodedError", message: "BLOCK_UNKNOWN root=0x12", stack: "CodedError: …\n at …" };
    equal(
      readableLine(JSON.stringify({ level: 40, time, msg: "block refused", err })),
      "03:04:05.678 WARN block refused  err CodedError: BLOCK_UNKNOWN root=0x12\n",
    );
  });
});
