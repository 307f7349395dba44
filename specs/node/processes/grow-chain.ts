/** Run as a process of its own: imports blocks until it is killed, finality two behind, saying each head. */
import { argv, stdout } from "node:process";
import { openDatabase } from "../../../node/storage/database.ts";
import { SCRATCH_CHAIN } from "../../support/scratch-database.ts";
import { fixtureOn, GENESIS, transferOf } from "../execution-fixture.ts";

const [directory] = argv.slice(2) as [string];
const database = await openDatabase({ directory, role: "execution", chain: SCRATCH_CHAIN });
const { port, extend } = fixtureOn(database);

const recent = [GENESIS.block.hash, GENESIS.block.hash, GENESIS.block.hash];
for (let nonce = 0; ; nonce++) {
  recent.push(await extend(recent.at(-1) ?? GENESIS.block.hash, [transferOf(0, nonce)]));
  recent.shift();
  const [finalized, safe, head] = recent as [`0x${string}`, `0x${string}`, `0x${string}`];
  await port.setForkchoice({ head, safe, finalized });
  stdout.write(`${head}\n`);
}
