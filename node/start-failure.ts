/** Why a node cannot start: a sentence that says what to do, and an exit code. See specs/node/exit-codes.md. */
import { CheckpointError } from "./checkpoint/checkpoint.ts";
import { BlockFileError, type BlockFileErrorDetail } from "./db/block-file.ts";
import { DbDamage } from "./db/db-damage.ts";
import { DevDirectoryError } from "./dev/dev-genesis.ts";
import { ChainSpecError } from "./genesis/spec-issues.ts";
import { NetworkError } from "./network/network-error.ts";
import { DatabaseError, type DatabaseErrorDetail } from "./storage/database-error.ts";
import { DoppelgangerError } from "./validator/doppelganger.ts";
import { InterchangeError } from "./validator/interchange.ts";
import { KeyringError } from "./validator/keyring.ts";

export const EXIT_CODES = {
  failure: 1,
  wrongFlag: 2,
  input: 3,
  directory: 4,
  address: 5,
  doppelganger: 6,
} as const;

/** Plain data: it crosses threads. */
export type StartFailure = { readonly message: string; readonly exitCode: number };

/** A failure that was described where it happened, in another thread. */
export class StartError extends Error {
  override readonly name = "StartError";
  readonly failure: StartFailure;

  constructor(failure: StartFailure) {
    super(failure.message);
    this.failure = failure;
  }
}

/** What is wrong with a file or an answer that the operator chose. */
const WRONG_INPUTS = [ChainSpecError, KeyringError, CheckpointError, InterchangeError] as const;

/** Anything unknown is our own mistake: its stack, and code 1. */
export function describeStartFailure(error: unknown): StartFailure {
  if (error instanceof StartError) return error.failure;
  if (error instanceof DatabaseError) return of(EXIT_CODES.directory, sentenceOf(error.detail));
  if (WRONG_INPUTS.some((kind) => error instanceof kind)) {
    return of(EXIT_CODES.input, error instanceof Error ? error.message : String(error));
  }
  if (error instanceof DoppelgangerError) return of(EXIT_CODES.doppelganger, error.message);
  if (error instanceof DbDamage) return of(EXIT_CODES.directory, error.message);
  if (error instanceof BlockFileError) return of(EXIT_CODES.input, blockFileSentence(error.detail));
  if (error instanceof DevDirectoryError) return of(EXIT_CODES.directory, error.message);
  if (error instanceof NetworkError) return of(EXIT_CODES.address, networkSentence(error));
  if (error instanceof Error && "syscall" in error) return systemFailure(error as SystemError);
  return of(EXIT_CODES.failure, error instanceof Error ? (error.stack ?? error.message) : String(error));
}

const of = (exitCode: number, message: string): StartFailure => ({ exitCode, message });

function sentenceOf(detail: DatabaseErrorDetail): string {
  switch (detail.code) {
    case "DATABASE_LOCKED":
      return `${detail.directory} is in use by another process: stop it, or choose another --dir`;
    case "DATABASE_NOT_WRITABLE":
      return `${detail.directory} cannot be written: ${detail.reason}`;
    case "DATABASE_NO_ROOM":
      return (
        `the disk of ${detail.directory} is full: ${detail.freeBytes} bytes left, ${detail.neededBytes} are needed. ` +
        "Make room and start again: nothing acknowledged is lost"
      );
    case "DATABASE_WRITE_FAILED":
      return `${detail.directory} could not be written: ${detail.reason}; is its disk full or failing?`;
    case "DATABASE_DAMAGED":
      return (
        `the database in ${detail.directory} is damaged: ${detail.reason}. ` +
        "Restore it from a copy; consensus and execution may be deleted and synced anew, validator must not: " +
        "it holds what was signed"
      );
    case "DATABASE_WRONG_SCHEMA":
      return (
        `${detail.directory} was written by another version of this program ` +
        `(schema ${detail.actual}, this one reads ${detail.expected}): use that version, or another --dir`
      );
    case "DATABASE_WRONG_CHAIN":
      return (
        `${detail.directory} belongs to another chain (genesis ${detail.actual}, ` +
        `the chain spec says ${detail.expected}): choose another --dir or the right --chain-spec`
      );
    case "DATABASE_WRONG_ROLE":
      return `${detail.directory} holds the ${detail.actual} database, not the ${detail.expected} one`;
    case "DATABASE_MISSING":
      return `there is no database in ${detail.directory}`;
    case "STATE_PRUNED":
      return `the state of block ${detail.number} is gone; the oldest is that of ${detail.oldest}`;
  }
}

function blockFileSentence(detail: BlockFileErrorDetail): string {
  switch (detail.code) {
    case "BLOCK_FILE_CHECKSUM":
      return `${detail.path} is not the file that checksums.txt lists: get it again`;
    case "BLOCK_FILE_MISSING":
      return `${detail.path} is listed in checksums.txt and is not there`;
    case "BLOCK_FILE_MALFORMED":
      return `${detail.path} is no file of blocks: ${detail.reason}`;
    case "BLOCK_FILE_WRONG_CHAIN":
      return `${detail.path} is of another chain (genesis ${detail.actual}, the chain spec says ${detail.expected})`;
    case "BLOCK_FILE_REFUSED":
      return (
        `the block of slot ${detail.slot} in ${detail.path} was refused (${detail.reason}); ` +
        "the blocks before it are kept"
      );
  }
}

function networkSentence({ detail, message }: NetworkError): string {
  if (detail.code !== "NETWORK_CANNOT_LISTEN") return message;
  return `cannot listen on ${detail.addresses}: the port is in use or the address is not ours; see --p2p-host, --p2p-port`;
}

/** As Node throws for files and sockets. */
type SystemError = NodeJS.ErrnoException & { readonly address?: string; readonly port?: number };

function systemFailure(error: SystemError): StartFailure {
  if (error.syscall !== "listen") return of(EXIT_CODES.directory, error.message);
  const where = `${error.address}:${error.port}`;
  return of(
    EXIT_CODES.address,
    error.code === "EADDRINUSE"
      ? `${where} is in use by another program: stop it, or choose other ports (--rpc-port, --metrics-port, --beacon-port, --keymanager-port)`
      : `cannot listen on ${where}: ${error.message}; see --rpc-host, --metrics-host, --beacon-host`,
  );
}
