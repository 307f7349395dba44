/** Loaded by mocha before any spec: what every entry point of the project does first. */
import "../../node/polyfill.ts";
import { installNativeBackends } from "../../node/native/install.ts";

export const mochaHooks = {
  async beforeAll(): Promise<void> {
    await installNativeBackends();
  },
};
