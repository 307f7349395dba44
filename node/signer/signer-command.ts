/** `jurat signer`: keys and what they signed, in a process of their own. See specs/node/remote-signing.md#our-signer. */
import { fromHex, type Hex } from "../../primitives/bytes.ts";
import { createLog, logOptionsOf } from "../log.ts";
import { startRestServer } from "../rest/rest-server.ts";
import { createStopSignal } from "../stop-signal.ts";
import { loadKeyring } from "../validator/keyring.ts";
import { withProtection } from "../validator/with-protection.ts";
import type { SignerConfig } from "./signer-config.ts";
import { signerRoutes } from "./signer-routes.ts";

/** Runs until a signal. @throws KeyringError, ChainSpecError, DatabaseError, or when the port is taken. */
export async function runSigner(config: SignerConfig): Promise<void> {
  const { dir, chainSpec, keystores, passwordFile, host, port } = config;
  const log = createLog(logOptionsOf(config));
  const stop = createStopSignal();
  await withProtection(dir, chainSpec, async (protection, genesisValidatorsRoot, { params }) => {
    const keyring = await loadKeyring({ interop: undefined, keystores: { dir: keystores, passwordFile } });
    const secretKeys = new Map<Hex, Uint8Array>();
    for (const [publicKey, key] of keyring)
      if (key.kind === "local") secretKeys.set(publicKey, key.secretKey);
    const server = await startRestServer({
      ...{ host, port, virtualHosts: [host, "localhost", ...config.virtualHosts], corsOrigins: [] },
      routes: signerRoutes({
        ...{
          chain: { params, genesisValidatorsRoot: fromHex(genesisValidatorsRoot) },
          secretKeys,
          protection,
        },
        onSigned: (publicKey, type) => log.debug({ publicKey, type }, "signed"),
        onRefused: (publicKey, type, refusal) =>
          log.warn({ publicKey, type, ...refusal }, "not signed: it could be slashed"),
      }),
      onFault: (error, path) => log.error({ err: error, path }, "request failed"),
    });
    log.info({ keys: secretKeys.size, port: server.port }, "signing");
    process.stdout.write(`${JSON.stringify({ ready: true, signer: `http://${host}:${server.port}` })}\n`);
    log.info({ reason: await stop.requested }, "stopping");
    await server.close();
  });
  process.exit(stop.exitCode());
}
