/** An account of several people: so many of them must agree. See specs/contracts/library.md#multisig. */
import {
  type Address,
  array,
  call,
  error,
  event,
  external,
  guard,
  type Hex,
  mapping,
  msg,
  reentrant,
  self,
  storage,
  struct,
  view,
  ZERO,
} from "chain:std";

const state = storage(
  {
    owners: array("address"),
    isOwner: mapping("address", "bool"),
    threshold: "uint256",
    proposals: array(
      struct({
        target: "address",
        isExecuted: "bool",
        value: "uint256",
        data: "bytes",
        confirmations: mapping("address", "bool"),
      }),
    ),
  },
  "jurat.storage.Multisig",
);

const Proposed = event(
  "Proposed(uint256 indexed id, address indexed owner, address target, uint256 value, bytes data)",
);
const Confirmed = event("Confirmed(uint256 indexed id, address indexed owner)");
const Revoked = event("Revoked(uint256 indexed id, address indexed owner)");
const Executed = event("Executed(uint256 indexed id)");
const OwnersChanged = event("OwnersChanged(address[] owners, uint256 threshold)");

const NotOwner = error("MultisigNotOwner(address account)");
const InvalidOwner = error("MultisigInvalidOwner(address owner)");
const InvalidThreshold = error("MultisigInvalidThreshold(uint256 threshold, uint256 owners)");
const NoSuchProposal = error("MultisigNoSuchProposal(uint256 id)");
const AlreadyExecuted = error("MultisigAlreadyExecuted(uint256 id)");
const NotConfirmed = error("MultisigNotConfirmed(uint256 id, uint256 confirmations, uint256 threshold)");
const UnauthorizedCaller = error("MultisigUnauthorizedCaller(address caller)");

/** For the constructor. */
export function setOwners(owners: readonly Address[], threshold: bigint): void {
  for (const owner of listOwners()) state.isOwner.delete(owner);
  while (state.owners.length > 0n) state.owners.pop();
  for (const owner of owners) {
    if (owner === ZERO || owner === self.address || state.isOwner.get(owner)) throw InvalidOwner({ owner });
    state.isOwner.set(owner, true);
    state.owners.push(owner);
  }
  const count = BigInt(owners.length);
  if (threshold === 0n || threshold > count) throw InvalidThreshold({ threshold, owners: count });
  state.threshold = threshold;
  OwnersChanged({ owners, threshold });
}

function onlyOwners(): void {
  if (!state.isOwner.get(msg.sender)) throw NotOwner({ account: msg.sender });
}

export const multisig = {
  owners: view("() returns (address[])", () => listOwners()),
  threshold: view("() returns (uint256)", () => state.threshold),
  proposalCount: view("() returns (uint256)", () => state.proposals.length),
  confirmations: view("(uint256 id) returns (uint256)", (id) => countConfirmations(id)),
  proposal: view(
    "(uint256 id) returns (address target, uint256 value, bytes data, bool isExecuted)",
    (id) => {
      const { target, value, data, isExecuted } = proposalAt(id);
      return [target, value, data, isExecuted];
    },
  ),

  ...guard(onlyOwners, {
    /** Whoever proposes agrees. */
    propose: external(
      "(address target, uint256 value, bytes data) returns (uint256 id)",
      (target, value, data) => {
        const id = state.proposals.length;
        const proposal = state.proposals.push();
        proposal.target = target;
        proposal.value = value;
        proposal.data = data;
        Proposed({ id, owner: msg.sender, target, value, data });
        confirm(id, msg.sender);
        return id;
      },
    ),
    confirm: external("(uint256 id)", (id) => confirm(id, msg.sender)),
    revoke: external("(uint256 id)", (id) => {
      openProposal(id).confirmations.set(msg.sender, false);
      Revoked({ id, owner: msg.sender });
    }),
    execute: external("(uint256 id) returns (bytes)", (id) => execute(id)),
  }),

  /** Only by a proposal of the old owners, so the contract calls itself. */
  ...reentrant({
    changeOwners: external("(address[] owners, uint256 threshold)", (owners, threshold) => {
      if (msg.sender !== self.address) throw UnauthorizedCaller({ caller: msg.sender });
      setOwners(owners, threshold);
    }),
  }),
};

function listOwners(): Address[] {
  return Array.from({ length: Number(state.owners.length) }, (_, i) => state.owners.get(BigInt(i)));
}

function proposalAt(id: bigint) {
  if (id >= state.proposals.length) throw NoSuchProposal({ id });
  return state.proposals.get(id);
}

function openProposal(id: bigint) {
  const proposal = proposalAt(id);
  if (proposal.isExecuted) throw AlreadyExecuted({ id });
  return proposal;
}

function confirm(id: bigint, owner: Address): void {
  openProposal(id).confirmations.set(owner, true);
  Confirmed({ id, owner });
}

/** Of those who are owners now: who leaves takes the confirmation along. */
function countConfirmations(id: bigint): bigint {
  const { confirmations } = proposalAt(id);
  return BigInt(listOwners().filter((owner) => confirmations.get(owner)).length);
}

function execute(id: bigint): Hex {
  const proposal = openProposal(id);
  const confirmations = countConfirmations(id);
  const { threshold } = state;
  if (confirmations < threshold) throw NotConfirmed({ id, confirmations, threshold });
  proposal.isExecuted = true;
  const returned = call(proposal.target, proposal.data, { value: proposal.value });
  Executed({ id });
  return returned;
}
