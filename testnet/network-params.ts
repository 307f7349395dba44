/** A network described in the YAML of ethereum-package, as far as it means something here. See specs/testnet/scenarios.md#network-parameters. */
import { readFileSync } from "node:fs";
import { parse, YAMLParseError } from "yaml";
import { z } from "zod";
import type { TestnetOptions } from "./options.ts";

/** The file cannot be read, or asks for what this program does not do. */
export class NetworkParamsError extends Error {
  override readonly name = "NetworkParamsError";
}

/** Longest file read: a description is a page. */
const FILE_LIMIT_BYTES = 1 << 20;

const ours = z.literal("jurat", { error: "expected jurat: other clients do not run here" });
const NetworkParams = z.strictObject({
  participants: z
    .array(
      z.strictObject({
        el_type: ours.optional(),
        cl_type: ours.optional(),
        count: z.int().min(1).max(64).optional(),
        validator_count: z.int().min(1).max(256).optional(),
      }),
    )
    .min(1)
    .optional(),
  network_params: z
    .strictObject({
      network_id: z.union([z.string().regex(/^\d{1,10}$/), z.int().positive()]).optional(),
      seconds_per_slot: z.int().min(1).max(12).optional(),
      num_validator_keys_per_node: z.int().min(1).max(256).optional(),
    })
    .optional(),
});

export type ParamsOptions = Partial<
  Pick<TestnetOptions, "nodes" | "validatorsPerNode" | "slotSeconds" | "chainId">
>;

/** What the file says in the words of our flags; what it leaves out is left to them. @throws NetworkParamsError */
export function readNetworkParams(path: string): ParamsOptions {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (cause) {
    throw new NetworkParamsError(`cannot read ${path}: ${cause instanceof Error ? cause.message : cause}`, {
      cause,
    });
  }
  return parseNetworkParams(text, path);
}

/** @param name the file's, for the message. @throws NetworkParamsError */
export function parseNetworkParams(text: string, name: string): ParamsOptions {
  if (text.length > FILE_LIMIT_BYTES)
    throw new NetworkParamsError(`${name} is longer than ${FILE_LIMIT_BYTES} bytes`);
  const parsed = NetworkParams.safeParse(readYaml(text, name) ?? {});
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const at = issue?.path.length === 0 ? "top level" : issue?.path.join(".");
    throw new NetworkParamsError(`${name}: ${at}: ${issue?.message}`);
  }
  const { participants, network_params: network = {} } = parsed.data;
  const { network_id, seconds_per_slot, num_validator_keys_per_node } = network;
  const keys = new Set((participants ?? []).map((one) => one.validator_count ?? num_validator_keys_per_node));
  if (keys.size > 1) {
    throw new NetworkParamsError(
      `${name}: participants: every node has as many validators as the others here`,
    );
  }
  const [validatorsPerNode = num_validator_keys_per_node] = keys;
  return {
    ...(participants === undefined
      ? {}
      : { nodes: participants.reduce((sum, { count = 1 }) => sum + count, 0) }),
    ...(validatorsPerNode === undefined ? {} : { validatorsPerNode }),
    ...(seconds_per_slot === undefined ? {} : { slotSeconds: seconds_per_slot }),
    ...(network_id === undefined ? {} : { chainId: Number(network_id) }),
  };
}

function readYaml(text: string, name: string): unknown {
  try {
    // Aliases can make a small file a huge value.
    return parse(text, { maxAliasCount: 0, logLevel: "error" });
  } catch (cause) {
    if (!(cause instanceof YAMLParseError || cause instanceof ReferenceError)) throw cause;
    throw new NetworkParamsError(`${name} is not YAML: ${cause.message}`, { cause });
  }
}
