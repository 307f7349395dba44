/** Who may do what, by role; each role has a role that grants it. See specs/contracts/library.md#roles. */
import {
  type Address,
  error,
  event,
  external,
  type Hex,
  keccak256,
  mapping,
  msg,
  storage,
  struct,
  toHex,
  view,
} from "chain:std";

const state = storage(
  { roles: mapping("bytes32", struct({ members: mapping("address", "bool"), admin: "bytes32" })) },
  "openzeppelin.storage.AccessControl",
);

const RoleGranted = event(
  "RoleGranted(bytes32 indexed role, address indexed account, address indexed sender)",
);
const RoleRevoked = event(
  "RoleRevoked(bytes32 indexed role, address indexed account, address indexed sender)",
);
const RoleAdminChanged = event(
  "RoleAdminChanged(bytes32 indexed role, bytes32 indexed previousAdminRole, bytes32 indexed newAdminRole)",
);
const Unauthorized = error("AccessControlUnauthorizedAccount(address account, bytes32 neededRole)");
const BadConfirmation = error("AccessControlBadConfirmation()");

/** Grants every role whose admin was not set to another. */
export const DEFAULT_ADMIN_ROLE: Hex = `0x${"00".repeat(32)}`;

/** The role of that name: `role("MINTER_ROLE")`. */
export function role(name: string): Hex {
  return keccak256(toHex(name));
}

/** A check to be called first, or given to `guard`. */
export const onlyRole = (needed: Hex) => (): void => requireRole(needed, msg.sender);

export function requireRole(needed: Hex, account: Address): void {
  if (!hasRole(needed, account)) throw Unauthorized({ account, neededRole: needed });
}

export function hasRole(role: Hex, account: Address): boolean {
  return state.roles.get(role).members.get(account);
}

/** Without asking who does it: for the constructor. */
export function grantRole(role: Hex, account: Address): void {
  if (hasRole(role, account)) return;
  state.roles.get(role).members.set(account, true);
  RoleGranted({ role, account, sender: msg.sender });
}

export function revokeRole(role: Hex, account: Address): void {
  if (!hasRole(role, account)) return;
  state.roles.get(role).members.set(account, false);
  RoleRevoked({ role, account, sender: msg.sender });
}

export function setRoleAdmin(role: Hex, newAdminRole: Hex): void {
  RoleAdminChanged({ role, previousAdminRole: state.roles.get(role).admin, newAdminRole });
  state.roles.get(role).admin = newAdminRole;
}

export const roles = {
  DEFAULT_ADMIN_ROLE: view("() returns (bytes32)", () => DEFAULT_ADMIN_ROLE),
  hasRole: view("(bytes32 role, address account) returns (bool)", (role, account) => hasRole(role, account)),
  getRoleAdmin: view("(bytes32 role) returns (bytes32)", (role) => state.roles.get(role).admin),
  grantRole: external("(bytes32 role, address account)", (role, account) => {
    requireRole(state.roles.get(role).admin, msg.sender);
    grantRole(role, account);
  }),
  revokeRole: external("(bytes32 role, address account)", (role, account) => {
    requireRole(state.roles.get(role).admin, msg.sender);
    revokeRole(role, account);
  }),
  /** Gives up one's own role; the account is named so that it cannot happen by mistake. */
  renounceRole: external("(bytes32 role, address callerConfirmation)", (role, callerConfirmation) => {
    if (callerConfirmation !== msg.sender) throw BadConfirmation();
    revokeRole(role, msg.sender);
  }),
};
