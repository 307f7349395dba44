/** The tour with cast: one command for each step. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { encodeDeployData } from "viem";
import { runProgram } from "../../support/program-run.ts";
import {
  ALLOWED,
  DEADLINE,
  DOMAIN_TYPE,
  type Findings,
  isProvenContract,
  MULTICALL3,
  permitOf,
  TOKEN_ARGUMENTS,
  type TourWorld,
  TRANSFERRED,
} from "./tour.ts";

const TRANSFER_EVENT = "Transfer(address indexed from,address indexed to,uint256 value)";
const TRANSFER = "transfer(address,uint256)";

export async function castTour(cast: string, world: TourWorld): Promise<Findings> {
  const { abi, bytecode, key, owner, recipient, url } = world;
  const run = async (...args: string[]): Promise<string> => {
    const { code, stdout, stderr } = await runProgram(cast, args);
    if (code !== 0) throw new Error(`cast ${args[0]}: ${stderr}`);
    return stdout.trim();
  };
  const ask = (verb: string, ...args: string[]) => run(verb, "--rpc-url", url, ...args);
  const send = (...args: string[]) => ask("send", "--private-key", key, "--json", ...args);
  const receiptOf = async (...args: string[]) =>
    JSON.parse(await send(...args)) as { readonly [name: string]: string };

  const creation = encodeDeployData({ abi, bytecode, args: TOKEN_ARGUMENTS });
  const address = (await receiptOf("--create", creation))["contractAddress"] ?? "";

  let subscribed: bigint | undefined;
  const listening = listen(cast, world.webSocketUrl, address).then((value) => {
    subscribed = value;
  });
  const gas = BigInt(
    await ask("estimate", address, TRANSFER, recipient, String(TRANSFERRED), "--from", owner),
  );
  const transferred = await receiptOf(
    address,
    TRANSFER,
    recipient,
    String(TRANSFERRED),
    "--gas-limit",
    String(gas),
  );
  const logs = JSON.parse(
    await ask("logs", TRANSFER_EVENT, owner, recipient, "--address", address, "--from-block", "0", "--json"),
  ) as readonly { readonly data: string }[];

  // cast does not say when its subscription is there, so there are events until it tells of one.
  while (subscribed === undefined) await send(address, TRANSFER, owner, String(TRANSFERRED));
  await listening;

  const { types, ...permit } = permitOf(world, address as `0x${string}`);
  const typed = { ...permit, types: { EIP712Domain: DOMAIN_TYPE, ...types } };
  const json = JSON.stringify(typed, (_name, value) => (typeof value === "bigint" ? String(value) : value));
  const signature = await run("wallet", "sign", "--data", json, "--private-key", key);
  const [r, s, v] = [signature.slice(0, 66), `0x${signature.slice(66, 130)}`, `0x${signature.slice(130)}`];
  const permitted = "permit(address,address,uint256,uint256,uint8,bytes32,bytes32)";
  await send(
    address,
    permitted,
    owner,
    recipient,
    String(ALLOWED),
    String(DEADLINE),
    String(Number(v)),
    r,
    s,
  );

  const read = async (signature: string, ...args: string[]) =>
    BigInt(await ask("call", address, signature, ...args));
  const balanceOf = (holder: string) => run("calldata", "balanceOf(address)", holder);
  const calls = [owner, recipient].map(async (holder) => `(${address},false,${await balanceOf(holder)})`);
  const aggregate = "aggregate3((address,bool,bytes)[])((bool,bytes)[])";
  const aggregated = await ask(
    "call",
    MULTICALL3,
    aggregate,
    `[${(await Promise.all(calls)).join(",")}]`,
    "--json",
  );
  const block = JSON.parse(await ask("block", "latest", "--json")) as {
    readonly number: string;
    readonly stateRoot: string;
  };
  const proof = JSON.parse(await ask("proof", address, "--block", String(Number(block.number)))) as {
    readonly accountProof: readonly string[];
  };
  return {
    received: await read("balanceOf(address)", recipient),
    filtered: logs.map(({ data }) => BigInt(data)),
    subscribed,
    allowance: await read("allowance(address,address)", owner, recipient),
    multicall: [...aggregated.matchAll(/0x[0-9a-f]{64}/g)].map(([word]) => BigInt(word)),
    isProven: isProvenContract(block.stateRoot, address, proof.accountProof),
    isEstimated: transferred["status"] === "0x1" && BigInt(transferred["gasUsed"] ?? "") <= gas,
    replacement: await replace(),
  };

  async function replace(): Promise<bigint> {
    const nonce = Number(await ask("nonce", owner));
    const sendAt = (offset: number, value: number, tipGwei: number, ...more: string[]) =>
      ask(
        ...["send", recipient, "--value", String(value), "--nonce", String(nonce + offset)],
        ...["--priority-gas-price", `${tipGwei}gwei`, "--gas-price", `${100 * tipGwei}gwei`],
        ...["--private-key", key, ...more],
      );
    await sendAt(1, 1, 1, "--async");
    const second = await sendAt(1, 2, 2, "--async");
    await sendAt(0, 3, 1);
    await ask("receipt", second);
    return BigInt(await ask("tx", second, "value"));
  }
}

/** Resolves with the value of the first Transfer event that a subscription of another process tells of. */
async function listen(cast: string, webSocketUrl: string, address: string): Promise<bigint> {
  const args = ["logs", "--subscribe", "--address", address, "--rpc-url", webSocketUrl, "--json"];
  const program = spawn(cast, args, { stdio: ["ignore", "pipe", "inherit"] });
  try {
    for (let text = ""; ; ) {
      const [chunk] = (await once(program.stdout, "data")) as [Buffer];
      text += String(chunk);
      const data = /"data":\s*"(0x[0-9a-f]{64})"/.exec(text)?.[1];
      if (data !== undefined) return BigInt(data);
    }
  } finally {
    program.kill();
  }
}
