/** What the node calls itself: `web3_clientVersion`. */
import { VERSION } from "../primitives/version.ts";

export const CLIENT_VERSION = `jurat/v${VERSION}/${process.platform}-${process.arch}/node${process.version}`;
