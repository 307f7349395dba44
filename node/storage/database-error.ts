/** Why a data directory cannot be opened or a state cannot be read. See specs/node/storage.md. */
import type { Hash } from "../../primitives/bytes.ts";
import { CodedError } from "../../primitives/errors.ts";

/** What a database holds; each role is a directory of its own and has its own schema. */
export type DatabaseRole = "consensus" | "execution" | "validator";

export type DatabaseErrorDetail =
  | { readonly code: "DATABASE_LOCKED"; readonly directory: string }
  | { readonly code: "DATABASE_MISSING"; readonly directory: string }
  | { readonly code: "DATABASE_NOT_WRITABLE"; readonly directory: string; readonly reason: string }
  | { readonly code: "DATABASE_DAMAGED"; readonly directory: string; readonly reason: string }
  | {
      readonly code: "DATABASE_NO_ROOM";
      readonly directory: string;
      readonly freeBytes: number;
      readonly neededBytes: number;
    }
  /** A disk that is full or broken; everything committed before is there. */
  | { readonly code: "DATABASE_WRITE_FAILED"; readonly directory: string; readonly reason: string }
  | {
      readonly code: "DATABASE_WRONG_ROLE";
      readonly directory: string;
      readonly expected: DatabaseRole;
      readonly actual: string;
    }
  | {
      readonly code: "DATABASE_WRONG_SCHEMA";
      readonly directory: string;
      readonly expected: number;
      readonly actual: number;
    }
  | {
      readonly code: "DATABASE_WRONG_CHAIN";
      readonly directory: string;
      readonly expected: Hash;
      readonly actual: string;
    }
  | { readonly code: "STATE_PRUNED"; readonly number: number; readonly oldest: number };

/** The operator chose the wrong directory, or a caller asked for a state that is gone. */
export class DatabaseError extends CodedError<DatabaseErrorDetail> {}
