/** Takes requests to withdraw stake from the account it belongs to (EIP-7002). See specs/contracts/system.md#withdrawal-requests. */
import {
  abi,
  address,
  concat,
  contract,
  event,
  type Hex,
  mapping,
  msg,
  require,
  storage,
  struct,
} from "chain:std";

const SYSTEM = address("0xfffffffffffffffffffffffffffffffffffffffe");
/** A validator's key and an amount in Gwei, big-endian. */
const REQUEST_BYTES = 56;
const MAX_PER_BLOCK = 16n;
const TARGET_PER_BLOCK = 2n;
const FEE_UPDATE_FRACTION = 17n;

const queue = storage({
  /** Requests above the target, summed over the blocks so far: the fee grows exponentially with it. */
  excess: "uint256",
  /** Requests of this block. */
  count: "uint256",
  head: "uint256",
  tail: "uint256",
  requests: mapping(
    "uint256",
    struct({ source: "address", keyStart: "bytes32", keyEnd: "bytes16", amount: "uint64" }),
  ),
});

const WithdrawalRequested = event("WithdrawalRequested(address indexed source, bytes pubkey, uint64 amount)");

export default contract({
  name: "WithdrawalRequests",
  /** Without a selector: the system takes requests out, 56 bytes put one in, no data asks for the fee. */
  fallback: {
    payable: true,
    handler: (data) => {
      if (msg.sender === SYSTEM) return takeRequests();
      if (data === "0x") return tellFee();
      return addRequest(data);
    },
  },
});

function tellFee(): Hex {
  require(msg.value === 0n, "asking costs nothing");
  return abi.encode("uint256", fee());
}

function addRequest(data: Hex): void {
  require(data.length === 2 + 2 * REQUEST_BYTES, "expected a key and an amount");
  require(msg.value >= fee(), "the fee is higher");
  const request = queue.requests.get(queue.tail);
  request.source = msg.sender;
  request.keyStart = `0x${data.slice(2, 66)}`;
  request.keyEnd = `0x${data.slice(66, 98)}`;
  request.amount = BigInt(`0x${data.slice(98)}`);
  queue.tail += 1n;
  queue.count += 1n;
  WithdrawalRequested({
    source: msg.sender,
    pubkey: `0x${data.slice(2, 98)}`,
    amount: BigInt(`0x${data.slice(98)}`),
  });
}

/** Up to 16 requests, each of 76 bytes: source, key, amount little-endian. Then the fee is adjusted. */
function takeRequests(): Hex {
  const { head, tail } = queue;
  const end = tail - head > MAX_PER_BLOCK ? head + MAX_PER_BLOCK : tail;
  const taken: Hex[] = [];
  for (let index = head; index < end; index++) {
    const { source, keyStart, keyEnd, amount } = queue.requests.get(index);
    taken.push(source, keyStart, keyEnd, littleEndian(amount));
    queue.requests.delete(index);
  }
  if (end !== head) {
    // An empty queue begins anew, so that its storage does not wander.
    queue.head = end === tail ? 0n : end;
    if (end === tail) queue.tail = 0n;
  }
  const wanted = queue.excess + queue.count;
  queue.excess = wanted > TARGET_PER_BLOCK ? wanted - TARGET_PER_BLOCK : 0n;
  queue.count = 0n;
  return concat(...taken);
}

/** EIP-7002's fake_exponential(1, excess, 17), in wei. */
function fee(): bigint {
  let sum = 0n;
  let term = FEE_UPDATE_FRACTION;
  for (let i = 1n; term > 0n; i++) {
    sum += term;
    term = (term * queue.excess) / (FEE_UPDATE_FRACTION * i);
  }
  return sum / FEE_UPDATE_FRACTION;
}

function littleEndian(amount: bigint): Hex {
  const digits = amount.toString(16).padStart(16, "0");
  return `0x${(digits.match(/../g) ?? []).reverse().join("")}`;
}
