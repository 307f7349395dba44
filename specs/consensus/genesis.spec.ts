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
  "0x649526279cc0f57df97c4284c77bab32b21e4e858e0ab037ea4755aff350e7a8",
  "0x9154d5b080ec8d7ed339e7eca3bf1c70663e5db5360bd9d0e578cefc3aaa2322",
  "0x39badc36259cdb7b490b25dd34cd20b62c9c163c73ebf2a847e47c4c7a8c6944",
];
const GOLDEN_TESTNET_STAKES = [
  "0xadd9d1d122fb42cd5aa9287c81b8327e3573ac3139d69fd091b0d7632a6150a4",
  "0x07dad6e9fedecc1f1d45664c18767a205fa1cd057bc3c3555cfec27074773899",
  "0x8a814fcd31a38a461b6bcd254021835aa0dfb8b837a8287f88de1da4ab795b73",
];
const GOLDEN_LARGE_FOUR = [
  "0x649526279cc0f57df97c4284c77bab32b21e4e858e0ab037ea4755aff350e7a8",
  "0x6209a6fa2a574ffa54d1dc9bb3d47193500b1e2f975c7aca4b1b19c1e09155b0",
  "0x4d3f83271a1df1f6dbae1724b61e1add038e042ea50b93d5b8daf1a345856d47",
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
