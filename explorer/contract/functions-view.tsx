/** Every function of a contract: those that read, and those that a wallet signs. */
import { useState } from "preact/hooks";
import type { AbiFunction } from "viem";
import { Failure } from "../card.tsx";
import { formatCount } from "../display.ts";
import { TransactionLink } from "../lookup/links.tsx";
import { Mark } from "../proof/mark.tsx";
import { connect, connection, sendTransaction, wallets } from "./browser-wallet.ts";
import { readChecked } from "./checked-read.ts";
import { FunctionForm, resultView } from "./function-form.tsx";
import type { KnownContract } from "./known-contracts.ts";

export function ReadFunctions({ contract }: { readonly contract: KnownContract }) {
  const functions = functionsOf(contract).filter(isRead);
  if (functions.length === 0) return <p class="quiet">Nothing to read.</p>;
  return (
    <>
      {functions.map((item) => (
        <FunctionForm
          key={signatureOf(item)}
          item={item}
          action="read"
          perform={async (data) => {
            const from = connection.value?.account;
            const call = { to: contract.address, data, ...(from === undefined ? {} : { from }) };
            const { value, mark, why } = await readChecked(call);
            return (
              <>
                {resultView(item, value.output)}
                <Mark state={mark} why={why} />{" "}
                <span class="quiet">
                  {value.gasUsed !== undefined && `${formatCount(value.gasUsed)} gas, `}
                  {why}
                </span>
              </>
            );
          }}
        />
      ))}
    </>
  );
}

export function WriteFunctions({ contract }: { readonly contract: KnownContract }) {
  const functions = functionsOf(contract).filter((item) => !isRead(item));
  if (functions.length === 0) return <p class="quiet">Nothing to write.</p>;
  return (
    <>
      <ConnectWallet />
      {functions.map((item) => (
        <FunctionForm
          key={signatureOf(item)}
          item={item}
          action="sign and send"
          perform={async (data, valueWei) => {
            const hash = await sendTransaction(contract.address, data, valueWei);
            return <TransactionLink to={hash} isShort />;
          }}
        />
      ))}
    </>
  );
}

function ConnectWallet() {
  const [failure, setFailure] = useState<unknown>(undefined);
  if (connection.value !== undefined) {
    return (
      <p>
        {connection.value.wallet.info.name}: <span class="mono">{connection.value.account}</span>
      </p>
    );
  }
  if (wallets.value.length === 0) {
    return (
      <p class="quiet">No wallet was found in this browser; install one that announces itself (EIP-6963).</p>
    );
  }
  return (
    <p>
      {wallets.value.map((wallet) => (
        <button
          key={wallet.info.uuid}
          type="button"
          class="primary"
          onClick={() => connect(wallet).catch(setFailure)}
        >
          connect {wallet.info.name}
        </button>
      ))}
      {failure !== undefined && <Failure error={failure} />}
    </p>
  );
}

function functionsOf({ abi }: KnownContract): AbiFunction[] {
  return abi.filter((item): item is AbiFunction => item.type === "function");
}

function isRead({ stateMutability }: AbiFunction): boolean {
  return stateMutability === "view" || stateMutability === "pure";
}

function signatureOf({ name, inputs }: AbiFunction): string {
  return `${name}(${inputs.map(({ type }) => type).join(",")})`;
}
