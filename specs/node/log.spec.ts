import { deepEqual, equal } from "node:assert/strict";
import { createLog, moduleLog, parseLogLevels, readableLine } from "../../node/log.ts";

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

describe("log levels", () => {
  it("are of everything, and of modules that differ", () => {
    deepEqual(parseLogLevels("info"), { level: "info", modules: {} });
    deepEqual(parseLogLevels("warn,network=debug,rpc=silent"), {
      level: "warn",
      modules: { network: "debug", rpc: "silent" },
    });
    for (const wrong of ["", "loud", "network=debug", "info,chain=debug", "info,network=loud", "info,"]) {
      equal(parseLogLevels(wrong), undefined, wrong);
    }
  });

  it("let a module say more, or less, than the rest", () => {
    const lines: string[] = [];
    const levels = { level: "info", modules: { network: "debug", rpc: "error" } } as const;
    const log = createLog({ levels, json: true }, (line) => void lines.push(JSON.parse(line).msg));
    log.debug("quiet");
    moduleLog(log, "network", levels).debug("network speaks");
    moduleLog(log, "sync", levels).debug("sync is as quiet as all");
    moduleLog(log, "rpc", levels).warn("rpc is quieter");
    deepEqual(lines, ["network speaks"]);
  });

  it("show the module in a line for people", () => {
    equal(
      readableLine(JSON.stringify({ level: 30, time: "2026-01-02T03:04:05.678Z", module: "sync", msg: "m" })),
      "03:04:05.678 [sync] m\n",
    );
  });
});

describe("secrets", () => {
  it("are not written, wherever they stand in what is logged", () => {
    const lines: string[] = [];
    const log = createLog(
      { levels: { level: "info", modules: {} }, json: true },
      (line) => void lines.push(line),
    );
    const secret = "0123456789abcdef";
    log.info({ secretKey: secret, key: { privateKey: secret }, a: { b: { password: secret } } }, "m");
    moduleLog(log, "rpc", { level: "info", modules: {} }).info({ token: secret }, "m");
    equal(lines.length, 2);
    for (const line of lines) equal(line.includes(secret), false, line);
  });
});
