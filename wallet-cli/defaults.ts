/** Where things are unless a flag, the environment or the settings say otherwise. Apart, so that help loads nothing more. */
import { homedir } from "node:os";
import { join } from "node:path";

export const DEFAULT_RPC_URL = "http://127.0.0.1:8545";
export const DEFAULT_KEY_FOLDER = join(homedir(), ".jurat", "keystore");
export const DEFAULT_VALIDATOR_KEY_FOLDER = join(homedir(), ".jurat", "validator-keys");
