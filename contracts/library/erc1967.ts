/** ERC-1967 proxies: code that is borrowed from an account named in one slot. See specs/contracts/library.md#erc-1967-proxy. */
import {
  type Address,
  codeSize,
  delegatecall,
  error,
  event,
  type Hex,
  iface,
  payable,
  storage,
  view,
  ZERO,
} from "chain:std";

/** keccak256("eip1967.proxy.implementation") - 1, where explorers look. */
const IMPLEMENTATION_SLOT = 0x360894a13ba1a3210667c828492db98dca3e2076cc3735a920a3ca505d382bbcn;
const SLOT_WORD: Hex = `0x${IMPLEMENTATION_SLOT.toString(16)}`;

const proxy = storage({ implementation: "address" }, IMPLEMENTATION_SLOT);

const Upgraded = event("Upgraded(address indexed implementation)");
const InvalidImplementation = error("ERC1967InvalidImplementation(address implementation)");
const UnsupportedUuid = error("UUPSUnsupportedProxiableUUID(bytes32 slot)");
const UnauthorizedContext = error("UUPSUnauthorizedCallContext()");

const Implementation = iface({ proxiableUUID: "() view returns (bytes32)" });

/** Points the proxy to `implementation` and, with data, lets it act on the proxy's storage, to initialize it. */
export function setImplementation(implementation: Address, data: Hex): void {
  if (codeSize(implementation) === 0n) throw InvalidImplementation({ implementation });
  proxy.implementation = implementation;
  Upgraded({ implementation });
  if (data !== "0x") delegatecall(implementation, data);
}

/**
 * The proxy's `fallback`: everything goes to the implementation. It is open to re-entry because the function it
 * leads to decides that for itself.
 */
export const forward = {
  payable: true,
  reentrant: true,
  handler: (data: Hex): Hex => delegatecall(proxy.implementation, data),
};

/**
 * For implementations (ERC-1822): the functions through which a proxy is led to the next one, for those whom `authorize`
 * lets pass.
 */
export const uups = (authorize: () => void) => ({
  /** Asked of the implementation itself: through a proxy it would say that a proxy can be an implementation. */
  proxiableUUID: view("() returns (bytes32)", () => {
    if (proxy.implementation !== ZERO) throw UnauthorizedContext();
    return SLOT_WORD;
  }),
  upgradeToAndCall: payable("(address newImplementation, bytes data)", (newImplementation, data) => {
    // Where the slot is empty the implementation was called itself, which has no proxy to upgrade.
    if (proxy.implementation === ZERO) throw UnauthorizedContext();
    authorize();
    requireImplementation(newImplementation);
    setImplementation(newImplementation, data);
  }),
});

/** A proxy led to something that is no implementation could never be led elsewhere. */
function requireImplementation(implementation: Address): void {
  let slot: Hex;
  try {
    slot = Implementation(implementation).proxiableUUID();
  } catch {
    throw InvalidImplementation({ implementation });
  }
  if (slot !== SLOT_WORD) throw UnsupportedUuid({ slot });
}
