/** Where this package is. Apart and importing nothing of ours, because a path counts from its file: it is not packed with the others. */
import { fileURLToPath } from "node:url";

/** Seen from dist/wallet-cli. */
export const PACKAGE_FOLDER = fileURLToPath(new URL("../..", import.meta.url));
