import hardhatViem from "@nomicfoundation/hardhat-viem";
import { configVariable, defineConfig } from "hardhat/config";

export default defineConfig({
  plugins: [hardhatViem],
  networks: {
    jurat: { type: "http", url: configVariable("JURAT_URL"), accounts: [configVariable("JURAT_KEY")] },
  },
});
