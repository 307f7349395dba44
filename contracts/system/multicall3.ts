/** Many calls in one, with the interface of Multicall3, through which clients batch reads. See specs/contracts/system.md#multicall3. */
import { balance, block, contract, error, msg, payable, tryCall, view } from "chain:std";

const CallFailed = error("CallFailed(uint256 index, bytes reason)");

export default contract({
  name: "Multicall3",
  functions: {
    aggregate3: payable(
      "((address target, bool allowFailure, bytes callData)[] calls) returns ((bool success, bytes returnData)[])",
      (calls) =>
        calls.map(({ target, allowFailure, callData }, index) => {
          const { success, data } = tryCall(target, callData);
          if (!success && !allowFailure) throw CallFailed({ index: BigInt(index), reason: data });
          return { success, returnData: data };
        }),
    ),

    aggregate3Value: payable(
      "((address target, bool allowFailure, uint256 value, bytes callData)[] calls) returns ((bool success, bytes returnData)[])",
      (calls) => {
        let sent = 0n;
        const results = calls.map(({ target, allowFailure, value, callData }, index) => {
          sent += value;
          const { success, data } = tryCall(target, callData, { value });
          if (!success && !allowFailure) throw CallFailed({ index: BigInt(index), reason: data });
          return { success, returnData: data };
        });
        if (sent !== msg.value) throw new Error("Multicall3: value mismatch");
        return results;
      },
    ),

    tryAggregate: payable(
      "(bool requireSuccess, (address target, bytes callData)[] calls) returns ((bool success, bytes returnData)[])",
      (requireSuccess, calls) =>
        calls.map(({ target, callData }, index) => {
          const { success, data } = tryCall(target, callData);
          if (!success && requireSuccess) throw CallFailed({ index: BigInt(index), reason: data });
          return { success, returnData: data };
        }),
    ),

    aggregate: payable(
      "((address target, bytes callData)[] calls) returns (uint256 blockNumber, bytes[] returnData)",
      (calls) => {
        const returned = calls.map(({ target, callData }, index) => {
          const { success, data } = tryCall(target, callData);
          if (!success) throw CallFailed({ index: BigInt(index), reason: data });
          return data;
        });
        return [block.number, returned];
      },
    ),

    getBasefee: view("() returns (uint256)", () => block.baseFee),
    getBlockHash: view("(uint256 blockNumber) returns (bytes32)", (number) => block.hash(number)),
    getBlockNumber: view("() returns (uint256)", () => block.number),
    getChainId: view("() returns (uint256)", () => block.chainId),
    getCurrentBlockCoinbase: view("() returns (address)", () => block.coinbase),
    getCurrentBlockGasLimit: view("() returns (uint256)", () => block.gasLimit),
    getCurrentBlockTimestamp: view("() returns (uint256)", () => block.timestamp),
    getEthBalance: view("(address account) returns (uint256)", (account) => balance(account)),
    getLastBlockHash: view("() returns (bytes32)", () => block.hash(block.number - 1n)),
  },
});
