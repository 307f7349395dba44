/** Deploys by CREATE2 for anybody: 32 bytes of salt, then a container. See specs/contracts/system.md#create2-deployer. */
import { contract, deploy, type Hex, msg, require } from "chain:std";

export default contract({
  name: "Create2Deployer",
  /** Returns the 20 bytes of the new address, as the deployer on Ethereum does. */
  fallback: {
    payable: true,
    handler: (data) => {
      require(data.length >= 2 + 64, "expected a salt and a container");
      const salt: Hex = `0x${data.slice(2, 66)}`;
      return deploy(`0x${data.slice(66)}`, { salt, value: msg.value });
    },
  },
});
