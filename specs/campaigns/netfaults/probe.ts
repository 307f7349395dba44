/** What the fault switch does to one TCP connection between two hosts, as one line of JSON. Runs in a namespace of its own. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { type Host, type LinkFault, startFaultSwitch } from "./fault-switch.ts";

export type ProbeReport = {
  readonly plainMs: number;
  readonly delayedMs: number;
  /** 100 ms one way only. */
  readonly oneWayMs: number;
  /** Bytes sent until a frame was lost, and answered all the same. */
  readonly lossyPings: number;
  readonly lossyAnswers: number;
  readonly framesLostWhileCut: number;
  readonly answersWhileCut: number;
  readonly answersAfterCut: number;
};

const PORT = 7000;
const SERVER = `require("net").createServer((s) => s.pipe(s)).listen(${PORT}, () => console.log("up"))`;
/** For each line it reads, a byte there and back, and how long that took. */
const CLIENT = (address: string) => `
  const socket = require("net").connect(${PORT}, "${address}", () => console.log("up"));
  socket.setNoDelay(true);
  let sent = 0;
  process.stdin.on("data", () => { sent = performance.now(); socket.write("."); });
  socket.on("data", () => console.log(performance.now() - sent));`;

/** A line of stdout at a time; the program ends with its stdin. */
function runOn(host: Host, script: string) {
  const [program = "", ...args] = [...host.enter, process.execPath, "-e", script];
  const child = spawn(program, args, { stdio: ["pipe", "pipe", "inherit"] });
  const lines = createInterface({ input: child.stdout });
  return {
    line: async () => String((await once(lines, "line"))[0]),
    send: () => child.stdin.write("\n"),
    end: () => child.kill(),
  };
}

async function probe(): Promise<ProbeReport> {
  const faults = startFaultSwitch();
  const [near, far] = [await faults.addHost(), await faults.addHost()];
  const both = async (fault: LinkFault) => {
    await faults.setLink(1, 2, fault);
    await faults.setLink(2, 1, fault);
  };
  const server = runOn(far, SERVER);
  await server.line();
  const client = runOn(near, CLIENT(far.address));
  await client.line();
  let answers = 0;
  const ping = async () => {
    const answer = client.line();
    client.send();
    const ms = Number(await answer);
    answers++;
    return ms;
  };
  const plainMs = await ping();
  await both({ delayMs: 100 });
  const delayedMs = await ping();
  await both({});
  await faults.setLink(1, 2, { delayMs: 100 });
  const oneWayMs = await ping();

  await both({ lossPercent: 30 });
  const before = answers;
  let pings = 0;
  let lossyFramesLost = 0;
  for (; lossyFramesLost === 0; pings++) {
    await ping();
    lossyFramesLost = (await faults.counts()).lost;
  }
  const lossyAnswers = answers - before;

  await both({ isCut: true });
  const beforeCut = answers;
  const late = ping();
  let framesLostWhileCut = 0;
  while (framesLostWhileCut < 2) framesLostWhileCut = (await faults.counts()).lost - lossyFramesLost;
  const answersWhileCut = answers - beforeCut;
  await both({});
  await late;
  const answersAfterCut = answers - beforeCut;
  for (const program of [client, server]) program.end();
  await faults.close();
  return {
    ...{ plainMs, delayedMs, oneWayMs, lossyPings: pings, lossyAnswers },
    ...{ framesLostWhileCut, answersWhileCut, answersAfterCut },
  };
}

console.log(JSON.stringify(await probe()));
process.exit(0);
