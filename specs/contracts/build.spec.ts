/** specs/contracts/build.md */
import { deepEqual, equal, match, ok, rejects } from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { writeArtifact } from "../../contracts/build/artifact.ts";
import { buildContract } from "../../contracts/build/build-contract.ts";
import { BuildError } from "../../contracts/build/build-error.ts";
import { checkTypes } from "../../contracts/build/check-types.ts";
import { fromHex, utf8ToBytes } from "../../primitives/bytes.ts";
import { keccak256, keccak256Hex } from "../../primitives/hash.ts";
import { decodeContainer, unpackSource } from "../../vm/contract/container.ts";
import { namespaceSlot } from "../../vm/contract/storage-layout.ts";
import { withScratchDirectory } from "../support/scratch-directory.ts";

const repository = (path: string) => fileURLToPath(new URL(`../../../${path}`, import.meta.url));
const fixture = (name: string) => repository(`specs/contracts/fixtures/${name}`);
const TOKEN = repository("contracts/examples/token.ts");

/** The message of the error a build ends with. */
async function failure(path: string): Promise<string> {
  try {
    await buildContract(path);
    return "built";
  } catch (error) {
    if (!(error instanceof BuildError)) throw error;
    return `${error.detail.code} ${error.message}`;
  }
}

describe("building contracts", function () {
  this.timeout(60_000);

  it("makes an artifact that tools read", async () => {
    const artifact = await buildContract(TOKEN);
    deepEqual(
      {
        ...artifact,
        abi: artifact.abi.length,
        bytecode: "",
        deployedBytecode: "",
        storageLayout: 0,
        sourceMap: "",
        metadata: "",
      },
      {
        _format: "hh-sol-artifact-1",
        contractName: "Token",
        sourceName: "contracts/examples/token.ts",
        abi: 31,
        bytecode: "",
        deployedBytecode: "",
        linkReferences: {},
        deployedLinkReferences: {},
        storageLayout: 0,
        metadata: "",
        sourceMap: "",
      },
    );
    const erc20 = namespaceSlot("openzeppelin.storage.ERC20");
    deepEqual(
      artifact.storageLayout.storage.map(({ label, slot, type }) => `${slot} ${type} ${label}`),
      [
        `${erc20} t_mapping(t_address,t_uint256) balances`,
        `${erc20 + 1n} t_mapping(t_address,t_mapping(t_address,t_uint256)) allowances`,
        `${erc20 + 2n} t_uint256 totalSupply`,
        `${erc20 + 3n} t_string_storage name`,
        `${erc20 + 4n} t_string_storage symbol`,
        `${namespaceSlot("openzeppelin.storage.Nonces")} t_mapping(t_address,t_uint256) nonces`,
        `${namespaceSlot("openzeppelin.storage.Ownable")} t_address owner`,
      ],
    );
    const { container, size } = decodeContainer(fromHex(artifact.bytecode));
    equal(size, fromHex(artifact.bytecode).length);
    match(
      unpackSource(container),
      /^\/\/ chain:std\nimport \{ ZERO, abi, [a-zA-Z0-9, ]* \} from "chain:std";\n/,
    );
    deepEqual(container.metadataHash, keccak256(utf8ToBytes(artifact.metadata)));
    ok((JSON.parse(artifact.sourceMap) as { sources: string[] }).sources.includes("token.ts"));
    await withScratchDirectory(async (directory) => {
      const [json, module] = writeArtifact(artifact, directory).map((path) => readFileSync(path, "utf8"));
      deepEqual(JSON.parse(json ?? ""), artifact);
      match(module ?? "", /export const tokenAbi = \[[\s\S]*\] as const;\n$/);
    });
  });

  it("makes the same bytes every time", async () => {
    const [first, second] = await Promise.all(
      [TOKEN, TOKEN].map((path) => buildContract(path, { typeCheck: false })),
    );
    equal(keccak256Hex(fromHex(first!.bytecode)), keccak256Hex(fromHex(second!.bytecode)));
  });

  it("infers types from signatures and refuses what does not fit them", async () => {
    await checkTypes(fixture("types.negative.ts"));
  });

  it("accepts the types of the contracts that come with the chain", async () => {
    const compiler = fileURLToPath(import.meta.resolve("typescript/package.json")).replace(
      "package.json",
      "bin/tsc",
    );
    await promisify(execFile)(process.execPath, [compiler, "-p", repository("contracts/tsconfig.json")]);
  });

  it("names file and line of what is wrong", async () => {
    equal(
      await failure(fixture("broken-types.ts")),
      "BUILD_TYPES specs/contracts/fixtures/broken-types.ts:5:59: error TS2322: Type 'number' is not assignable to type 'bigint'.",
    );
    equal(
      await failure(fixture("broken-syntax.ts")),
      'BUILD_BUNDLE specs/contracts/fixtures/broken-syntax.ts:2:8: Expected "}" but found "\\"Broken\\""',
    );
    match(
      await failure(fixture("broken-import.ts")),
      /^BUILD_BUNDLE specs\/contracts\/fixtures\/broken-import\.ts:1:30: Could not resolve "node:fs"/,
    );
    equal(
      await failure(fixture("broken-module.ts")),
      "BUILD_EVALUATION evaluating the contract failed: TypeError: a module's top level has no message, no block and no storage",
    );
    await rejects(buildContract(fixture("absent.ts")), BuildError);
  });
});
