/** What the node calls itself: `web3_clientVersion`. */
export const CLIENT_VERSION = `jurat/v0.1.0/${process.platform}-${process.arch}/node${process.version}`;
