/** Moved value shown as logs of an ERC-20 token that does not exist, for simulations. See specs/vm/execute-block.md#simulation. */
import { type Address, fromHex, type Hash, toHash } from "../primitives/bytes.ts";
import type { Log } from "./block.ts";
import type { ExecutionContext } from "./message.ts";
import type { Journal } from "./state/journal.ts";

/** Where execution-apis has clients look for them. */
const NATIVE_TOKEN: Address = "0xeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee";
/** keccak256("Transfer(address,address,uint256)"). */
const TRANSFER_TOPIC: Hash = "0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef";

export function noteTransfers(journal: Journal): NonNullable<ExecutionContext["onTransfer"]> {
  return (from, to, value) => {
    const topics = [TRANSFER_TOPIC, toHash(BigInt(from)), toHash(BigInt(to))];
    journal.addLog({ address: NATIVE_TOKEN, topics, data: fromHex(toHash(value)) });
  };
}

/** Such logs are shown, but are no part of a receipt. */
export function isTransferLog({ address }: Log): boolean {
  return address === NATIVE_TOKEN;
}
