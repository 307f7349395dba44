/** Constructors for contracts behind proxies: functions that run once. See specs/contracts/library.md#erc-1967-proxy. */
import { error, event, storage } from "chain:std";

const state = storage({ version: "uint64" }, "openzeppelin.storage.Initializable");

const Initialized = event("Initialized(uint64 version)");
const InvalidInitialization = error("InvalidInitialization()");

const NEVER_AGAIN = 2n ** 64n - 1n;

/** At the start of the function that initializes version `version` of a contract: versions only go up. */
export function initialize(version: bigint): void {
  if (state.version >= version) throw InvalidInitialization();
  state.version = version;
  Initialized({ version });
}

/** In an implementation's own constructor: nobody can initialize it but through a proxy. */
export function disableInitializers(): void {
  initialize(NEVER_AGAIN);
}
