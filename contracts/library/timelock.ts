/** What is decided today happens after a delay, in which everybody can see it coming. See specs/contracts/library.md#timelock. */
import {
  type Address,
  abi,
  block,
  call,
  error,
  event,
  external,
  type Hex,
  keccak256,
  mapping,
  msg,
  payable,
  reentrant,
  self,
  storage,
  view,
  ZERO,
} from "chain:std";
import { DEFAULT_ADMIN_ROLE, grantRole, hasRole, requireRole, role, roles } from "./roles.ts";

const state = storage(
  { timestamps: mapping("bytes32", "uint256"), minDelay: "uint256" },
  "openzeppelin.storage.TimelockController",
);

const CallScheduled = event(
  "CallScheduled(bytes32 indexed id, uint256 indexed index, address target, uint256 value, bytes data, bytes32 predecessor, uint256 delay)",
);
const CallExecuted = event(
  "CallExecuted(bytes32 indexed id, uint256 indexed index, address target, uint256 value, bytes data)",
);
const Cancelled = event("Cancelled(bytes32 indexed id)");
const MinDelayChange = event("MinDelayChange(uint256 oldDuration, uint256 newDuration)");

const InsufficientDelay = error("TimelockInsufficientDelay(uint256 delay, uint256 minDelay)");
const UnexpectedState = error(
  "TimelockUnexpectedOperationState(bytes32 operationId, bytes32 expectedStates)",
);
const UnexecutedPredecessor = error("TimelockUnexecutedPredecessor(bytes32 predecessorId)");
const UnauthorizedCaller = error("TimelockUnauthorizedCaller(address caller)");

const PROPOSER = role("PROPOSER_ROLE");
const EXECUTOR = role("EXECUTOR_ROLE");
const CANCELLER = role("CANCELLER_ROLE");

/** States of an operation as the error names them, one bit each. */
const UNSET = 1n;
const WAITING = 2n;
const READY = 4n;
const DONE = 8n;
/** The timestamp of an operation that was executed. */
const DONE_TIMESTAMP = 1n;
const NO_PREDECESSOR: Hex = `0x${"00".repeat(32)}`;

/** For the constructor. The contract is its own administrator; with ZERO among the executors anybody may execute. */
export function startTimelock(
  minDelay: bigint,
  proposers: readonly Address[],
  executors: readonly Address[],
): void {
  grantRole(DEFAULT_ADMIN_ROLE, self.address);
  for (const proposer of proposers) {
    grantRole(PROPOSER, proposer);
    grantRole(CANCELLER, proposer);
  }
  for (const executor of executors) grantRole(EXECUTOR, executor);
  changeDelay(minDelay);
}

const OPERATION = "address target, uint256 value, bytes data, bytes32 predecessor, bytes32 salt";

export const timelock = {
  // The contract grants and revokes roles by calling itself.
  ...reentrant(roles),
  PROPOSER_ROLE: view("() returns (bytes32)", () => PROPOSER),
  EXECUTOR_ROLE: view("() returns (bytes32)", () => EXECUTOR),
  CANCELLER_ROLE: view("() returns (bytes32)", () => CANCELLER),
  getMinDelay: view("() returns (uint256)", () => state.minDelay),
  getTimestamp: view("(bytes32 id) returns (uint256)", (id) => state.timestamps.get(id)),
  isOperation: view("(bytes32 id) returns (bool)", (id) => stateOf(id) !== UNSET),
  isOperationPending: view("(bytes32 id) returns (bool)", (id) => (stateOf(id) & (WAITING | READY)) !== 0n),
  isOperationReady: view("(bytes32 id) returns (bool)", (id) => stateOf(id) === READY),
  isOperationDone: view("(bytes32 id) returns (bool)", (id) => stateOf(id) === DONE),
  hashOperation: view(`(${OPERATION}) returns (bytes32)`, (...operation) => hashOperation(...operation)),

  schedule: external(`(${OPERATION}, uint256 delay)`, (target, value, data, predecessor, salt, delay) => {
    requireRole(PROPOSER, msg.sender);
    const id = hashOperation(target, value, data, predecessor, salt);
    requireState(id, UNSET);
    if (delay < state.minDelay) throw InsufficientDelay({ delay, minDelay: state.minDelay });
    state.timestamps.set(id, block.timestamp + delay);
    CallScheduled({ id, index: 0n, target, value, data, predecessor, delay });
  }),

  cancel: external("(bytes32 id)", (id) => {
    requireRole(CANCELLER, msg.sender);
    requireState(id, WAITING | READY);
    state.timestamps.delete(id);
    Cancelled({ id });
  }),

  execute: payable(`(${OPERATION})`, (target, value, data, predecessor, salt) => {
    if (!hasRole(EXECUTOR, ZERO)) requireRole(EXECUTOR, msg.sender);
    const id = hashOperation(target, value, data, predecessor, salt);
    requireState(id, READY);
    if (predecessor !== NO_PREDECESSOR && stateOf(predecessor) !== DONE) {
      throw UnexecutedPredecessor({ predecessorId: predecessor });
    }
    state.timestamps.set(id, DONE_TIMESTAMP);
    call(target, data, { value });
    CallExecuted({ id, index: 0n, target, value, data });
  }),

  /** Only by an operation that waited for the old delay. */
  updateDelay: external(
    "(uint256 newDelay)",
    (newDelay) => {
      if (msg.sender !== self.address) throw UnauthorizedCaller({ caller: msg.sender });
      changeDelay(newDelay);
    },
    { reentrant: true },
  ),
};

function changeDelay(newDuration: bigint): void {
  MinDelayChange({ oldDuration: state.minDelay, newDuration });
  state.minDelay = newDuration;
}

function hashOperation(target: Address, value: bigint, data: Hex, predecessor: Hex, salt: Hex): Hex {
  return keccak256(
    abi.encode("address, uint256, bytes, bytes32, bytes32", target, value, data, predecessor, salt),
  );
}

function stateOf(id: Hex): bigint {
  const timestamp = state.timestamps.get(id);
  if (timestamp === 0n) return UNSET;
  if (timestamp === DONE_TIMESTAMP) return DONE;
  return timestamp > block.timestamp ? WAITING : READY;
}

function requireState(operationId: Hex, expected: bigint): void {
  if ((stateOf(operationId) & expected) !== 0n) return;
  throw UnexpectedState({ operationId, expectedStates: `0x${expected.toString(16).padStart(64, "0")}` });
}
