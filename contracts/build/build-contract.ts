/** From a contract's source to its artifact: bundle, type check, evaluate as the chain would. See specs/contracts/build.md. */
import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { deflateRawSync } from "node:zlib";
import { readEngineImage } from "../../node/engine-image.ts";
import { readBootImage } from "../../node/std-image.ts";
import { bytesToUtf8, fromHex, toHex, utf8ToBytes } from "../../primitives/bytes.ts";
import { keccak256, keccak256Hex } from "../../primitives/hash.ts";
import { compileDecoder } from "../../vm/contract/abi-decode.ts";
import { parseParameters } from "../../vm/contract/abi-parse.ts";
import {
  CONTAINER_SIZE_LIMIT,
  type Container,
  ContainerError,
  ENGINE_ID,
  encodeContainer,
  SOURCE_SIZE_LIMIT,
} from "../../vm/contract/container.ts";
import type { ContractDefinition } from "../../vm/contract/definition.ts";
import { EVALUATION_TICK_LIMIT, evaluateContract } from "../../vm/contract/evaluate-contract.ts";
import { storageLayoutJson } from "../../vm/contract/storage-json.ts";
import { createEngine, type Engine } from "../../vm/engine/engine.ts";
import type { Artifact } from "./artifact.ts";
import { BuildError } from "./build-error.ts";
import { bundleContract, displayPath } from "./bundle.ts";
import { checkFeatures } from "./check-features.ts";
import { checkTypes } from "./check-types.ts";

export type BuildOptions = {
  /** Default true; a build that only repeats another may leave it out. */
  readonly typeCheck?: boolean;
};

/**
 * Builds the contract that the module at `path` exports.
 * @throws BuildError
 */
export async function buildContract(path: string, options: BuildOptions = {}): Promise<Artifact> {
  const bundle = await bundleContract(path);
  const { code, sourceMap } = bundle;
  checkFeatures(path, bundle);
  if (options.typeCheck !== false) await checkTypes(path);
  const metadata = JSON.stringify({
    language: "TypeScript",
    engine: ENGINE_ID,
    source: { name: basename(path), keccak256: keccak256Hex(readFileSync(path)) },
  });
  const container = pack(code, metadata);
  const definition = evaluate(container);
  const { isUpgradeable } = definition;
  const bytecode = toHex(encodeContainer({ ...container, isUpgradeable }));
  const sourceName = displayPath(path);
  return {
    _format: "hh-sol-artifact-1",
    contractName: definition.name,
    sourceName,
    abi: definition.abi,
    bytecode,
    deployedBytecode: bytecode,
    linkReferences: {},
    deployedLinkReferences: {},
    storageLayout: storageLayoutJson(`${sourceName}:${definition.name}`, definition.layout),
    metadata,
    sourceMap,
  };
}

function pack(code: string, metadata: string): Container {
  const source = utf8ToBytes(code);
  checkSize(source.length, SOURCE_SIZE_LIMIT);
  const container = {
    engineId: ENGINE_ID,
    isUpgradeable: false,
    rawLength: source.length,
    packed: new Uint8Array(deflateRawSync(source, { level: 9 })),
    metadataHash: keccak256(utf8ToBytes(metadata)),
  };
  checkSize(encodeContainer(container).length, CONTAINER_SIZE_LIMIT);
  return container;
}

function checkSize(actualBytes: number, limitBytes: number): void {
  if (actualBytes > limitBytes) throw new BuildError({ code: "BUILD_TOO_LARGE", limitBytes, actualBytes });
}

let engine: Engine | undefined;

function evaluate(container: Container): ContractDefinition {
  engine ??= createEngine({ wasm: readEngineImage(), boot: readBootImage() });
  try {
    const evaluation = evaluateContract(engine, engine.createInstance(), container, EVALUATION_TICK_LIMIT);
    if (evaluation.outcome === "success") return evaluation.contract.definition;
    const reason = evaluation.outcome === "revert" ? reasonOf(evaluation.output) : evaluation.outcome;
    throw new BuildError({ code: "BUILD_EVALUATION", reason });
  } catch (error) {
    if (!(error instanceof ContainerError)) throw error;
    throw new BuildError({ code: "BUILD_EVALUATION", reason: error.message }, { cause: error });
  }
}

const ERROR_SELECTOR = fromHex("0x08c379a0");
const decodeReason = compileDecoder(parseParameters("bytes"));

/** The text of `Error(string)`; other revert data as hex. */
function reasonOf(output: Uint8Array): string {
  if (!ERROR_SELECTOR.every((byte, i) => output[i] === byte)) return toHex(output);
  const [text] = decodeReason(output.subarray(4));
  return bytesToUtf8(fromHex(text as string));
}
