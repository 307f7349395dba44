import { deepEqual, equal, throws } from "node:assert/strict";
import { containersOf } from "../../consensus/chain-containers.ts";
import { createGenesis } from "../../consensus/genesis.ts";
import { createParams, LARGE_PARAMS, TESTNET_PARAMS } from "../../consensus/presets.ts";
import { getLatestBlockRoot, getProposerIndex, getStateRoot } from "../../consensus/state.ts";
import { toHex } from "../../primitives/bytes.ts";
import { chainSpec, equalStakes, genesisWith } from "./hand-made-chain.ts";

const params = TESTNET_PARAMS;

/** genesis_validators_root, state root, block root. */
const GOLDEN_TESTNET_FOUR = [
  "0x680228809fa0056c5d0d5361cc5f46a8e54365bf0b856a62a69446e911aeec0f",
  "0x79ef18884647cefd6e22dbe1e6622e6c1b139a46fe4bae0e2eb94a4629a2b938",
  "0x643f91e0b78a4dcf8c8515d5406a51e1e9baa01fe5b773db35f017a061d0fcd6",
];
const GOLDEN_TESTNET_STAKES = [
  "0xc01ac4015d759c268ea4958afb7807118ddcab1172412a579692973749d73628",
  "0xd4c3c4f6ce118afb0fa279eb0c41deeac7a1dedcb742475fd4c4f8ed914885b2",
  "0x60e70628695dc120fc53b18d478062bd6016743c61c32e680a983d079464f92c",
];
const GOLDEN_LARGE_FOUR = [
  "0x680228809fa0056c5d0d5361cc5f46a8e54365bf0b856a62a69446e911aeec0f",
  "0x9511d6ca55ef8b391cb04941a8836e1e87e037f8944ba7a4b9863ec453636be6",
  "0x6e6c8fe497432d8c7fe033519de324c858471a2042e8968550f793cf02be7c58",
];

describe("genesis", () => {
  it("has these roots: a change of any of them is a new chain", () => {
    const roots = (stakes: number[], chainParams = params) => {
      const { state, blockRoot } = genesisWith(chainParams, stakes);
      return [toHex(state.genesisValidatorsRoot), toHex(getStateRoot(state)), toHex(blockRoot)];
    };
    deepEqual(roots(equalStakes(4)), GOLDEN_TESTNET_FOUR);
    deepEqual(roots([32, 33, 2048, 3000]), GOLDEN_TESTNET_STAKES);
    deepEqual(roots(equalStakes(4), LARGE_PARAMS), GOLDEN_LARGE_FOUR);
  });

  it("is the same each time", () => {
    const spec = chainSpec(params, equalStakes(3));
    const first = createGenesis(spec);
    const second = createGenesis(spec);
    deepEqual(first.state.serialize(), second.state.serialize());
    deepEqual(first.block, second.block);
  });

  it("has a block that commits to the state, and a state that knows the block", () => {
    const { state, block, blockRoot } = genesisWith(params, equalStakes(4));
    deepEqual(block.stateRoot, getStateRoot(state));
    deepEqual(blockRoot, containersOf(params).BeaconBlock.hashTreeRoot(block));
    deepEqual(getLatestBlockRoot(state), blockRoot);
    deepEqual(block, { ...containersOf(params).BeaconBlock.defaultValue(), stateRoot: block.stateRoot });
  });

  it("is justified and finalized at (0, 0x00…)", () => {
    const { state } = genesisWith(params, equalStakes(4));
    const checkpoint = { epoch: 0, root: new Uint8Array(32) };
    deepEqual([state.justified, state.finalized], [checkpoint, checkpoint]);
    deepEqual(state.justifiedRing.toValue(), [checkpoint]);
  });

  it("activates all validators, with whole increments up to the largest", () => {
    const { state } = genesisWith(params, [32, 33, 2048, 3000]);
    deepEqual(state.ffgWeights.get(0).getAll(), [32, 33, 2048, 2048]);
    deepEqual(
      state.balances.getAll().map((balance) => balance / 1_000_000_000n),
      [32n, 33n, 2048n, 3000n],
    );
  });

  it("counts 32 coins at most for a validator whose credentials do not compound", () => {
    for (const prefix of [0, 1, 3]) {
      const { validators, ...spec } = chainSpec(params, [40]);
      const withdrawalCredentials = new Uint8Array(32).fill(prefix, 0, 1);
      const { state } = createGenesis({
        ...spec,
        validators: [{ ...validators[0]!, withdrawalCredentials }],
      });
      deepEqual(state.ffgWeights.get(0).getAll(), [32]);
    }
  });

  it("names the proposers of two periods, in proportion to stake", () => {
    const { state } = genesisWith(params, [32, 33, 2048, 3000]);
    const proposers = Array.from({ length: 64 }, (_, slot) => getProposerIndex(state, slot, params)!);
    equal(getProposerIndex(state, 64, params), undefined);
    const small = proposers.filter((index) => index < 2).length;
    equal(small < 8, true, `two validators with 1.6 % of the stake propose ${small} of 64 slots`);
  });

  it("begins with the randomness of the first execution block", () => {
    const { state } = genesisWith(params, equalStakes(4));
    for (const period of [0, 1, params.randaoMixesLength - 1]) {
      deepEqual(state.randaoMixes.get(period), state.latestExecutionPayloadHeader.blockHash);
    }
  });

  describe("is refused", () => {
    const spec = chainSpec(params, equalStakes(2));
    const [first, second] = spec.validators;

    it("without validators", () => {
      throws(() => createGenesis({ ...spec, validators: [] }), { detail: { code: "GENESIS_NO_VALIDATORS" } });
    });

    it("with a key that is none", () => {
      const validators = [first!, { ...second!, pubkey: new Uint8Array(48).fill(1) }];
      throws(() => createGenesis({ ...spec, validators }), {
        detail: { code: "GENESIS_INVALID_PUBLIC_KEY", validatorIndex: 1 },
      });
    });

    it("with a key twice", () => {
      throws(() => createGenesis({ ...spec, validators: [first!, second!, first!] }), {
        detail: { code: "GENESIS_DUPLICATE_PUBLIC_KEY", validatorIndex: 2 },
      });
    });

    it("with too small a stake", () => {
      const validators = [{ ...first!, amount: 31_999_999_999n }];
      throws(() => createGenesis({ ...spec, validators }), {
        detail: {
          code: "GENESIS_STAKE_TOO_SMALL",
          validatorIndex: 0,
          minimumGwei: createParams("testnet").minActivationBalanceGwei,
        },
      });
    });
  });
});
