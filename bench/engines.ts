#!/usr/bin/env node
/** npm run bench:engines: our contract engine beside the Ethereum machines that run inside Node, in one run. */
import "../node/polyfill.ts";
import { installNativeBackends } from "../node/native/install.ts";
import { benchHeadToHead, type CallTime, type Contender } from "./head-to-head.ts";

await installNativeBackends();
const results = await benchHeadToHead();
for (const [name, times] of Object.entries(results)) {
  console.log(`ERC-20 ${name}${"µs".padStart(28 - name.length)}${"µs of processor".padStart(20)}`);
  for (const [contender, { wall, processor }] of times) {
    console.log(
      `  ${contender.padEnd(24)}${wall.toFixed(1).padStart(10)}${processor.toFixed(1).padStart(20)}`,
    );
  }
  compare(times, "jurat", "@ethereumjs/evm");
  compare(times, "jurat eth_call", "EDR eth_call");
}
process.exit(0);

function compare(times: ReadonlyMap<Contender, CallTime>, ours: Contender, theirs: Contender): void {
  const [own, other] = [times.get(ours), times.get(theirs)];
  const title = `  times ${theirs}`.padEnd(26);
  if (own === undefined || other === undefined) console.log(`${title}   not installed`);
  else {
    const wall = (other.wall / own.wall).toFixed(2);
    console.log(`${title}${wall.padStart(10)}${(other.processor / own.processor).toFixed(2).padStart(20)}`);
  }
}
