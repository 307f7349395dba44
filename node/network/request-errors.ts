/** How a request to a peer can end without an answer. See specs/network/requests.md#errors */
import { CodedError } from "../../primitives/errors.ts";
import type { PeerId } from "./network-port.ts";

export type RequestErrorDetail =
  | { readonly code: "REQUEST_NOT_CONNECTED"; readonly peer: PeerId }
  | { readonly code: "REQUEST_TIMED_OUT"; readonly peer: PeerId; readonly protocol: string }
  /** The responder said no: see RESULT in chunks.ts. */
  | {
      readonly code: "REQUEST_REFUSED";
      readonly peer: PeerId;
      readonly protocol: string;
      readonly result: number;
    }
  /** The answer breaks the rules of the protocol. */
  | { readonly code: "REQUEST_MALFORMED_ANSWER"; readonly peer: PeerId; readonly protocol: string }
  /** Connection or stream broke, on whichever side. */
  | { readonly code: "REQUEST_FAILED"; readonly peer: PeerId; readonly protocol: string };

export class RequestError extends CodedError<RequestErrorDetail> {}

export type StreamErrorDetail =
  /** The stream ended or broke in the middle of something. */
  | { readonly code: "STREAM_ENDED" }
  /** A frame announces more than its protocol allows. */
  | { readonly code: "STREAM_FRAME_TOO_LARGE"; readonly length: number; readonly limit: number }
  /** Bytes that are no frame, or more frames than asked for. */
  | { readonly code: "STREAM_MALFORMED" };

export class StreamError extends CodedError<StreamErrorDetail> {}
