/** Our decoder beside viem's, ethers' and Solidity's, on data that encoders made and on damaged data. specs/vm/contract/abi.md#strict-decoding */
import { agreeStrictly, agreeWithSolidity, neverDiffer, readWhatIsWritten } from "./abi-peers.ts";

describe("ABI: beside viem, ethers and Solidity", function () {
  this.timeout(60_000);

  it("writes what they write and reads what they read", () => readWhatIsWritten({ runs: 150, seed: 1 }));

  it("accepts and refuses damaged data as viem and ethers do, each as strict as its own encoder", () =>
    agreeStrictly({ runs: 300, seed: 2 }));

  it("reads nothing of damaged data that others read as something else", () =>
    neverDiffer({ runs: 200, seed: 3 }));

  it("accepts and refuses damaged data as Solidity does, but for text that is none and bytes read twice", () =>
    agreeWithSolidity({ runs: 200, seed: 4 }));
});
