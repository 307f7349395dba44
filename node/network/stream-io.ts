/**
 * Reading and writing a libp2p stream with back-pressure. See specs/network/requests.md#streams
 *
 * libp2p 3's own means do not bound memory: `for await` never pauses the sender, and `onDrain()` resolves
 * at once after its first use. So both directions listen to the events themselves.
 */
import type { MessageStreamEvents, Stream } from "@libp2p/interface";
import { concatBytes } from "../../primitives/bytes.ts";
import { StreamError } from "./request-errors.ts";

/** Bytes read ahead of the consumer before the sender is paused. */
const READ_AHEAD_BYTES = 256 << 10;
/** Bytes queued for sending before the writer waits. */
const WRITE_AHEAD_BYTES = 256 << 10;

export class StreamReader {
  readonly #stream: Stream;
  #chunks: Uint8Array[] = [];
  #buffered = 0;
  /** Bytes the pending read wants; the sender is not paused before they are there. */
  #wanted = 0;
  #hasEnded = false;
  /** Released, or reset by either side: what comes to an end now is not complete. */
  #isBroken = false;
  #isResuming = false;
  #wake: (() => void) | undefined;

  constructor(stream: Stream) {
    this.#stream = stream;
    stream.addEventListener("message", this.#onMessage);
    stream.addEventListener("end", this.#onEnd);
    stream.addEventListener("close", this.#onClose);
    if (stream.readableEnded || stream.status === "closed") this.#hasEnded = true;
    if (stream.status === "reset" || stream.status === "aborted") this.#isBroken = true;
  }

  /**
   * The next `length` bytes, or undefined when the stream is over before the first of them.
   * @throws StreamError STREAM_ENDED when it is over in their middle, was reset, or the reader was released.
   */
  async read(length: number): Promise<Uint8Array | undefined> {
    this.#wanted = length;
    this.#flow();
    while (this.#buffered < length) {
      if (this.#isBroken || (this.#isOver() && this.#buffered > 0)) {
        throw new StreamError({ code: "STREAM_ENDED" });
      }
      if (this.#isOver()) return undefined;
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#wake = resolve;
      await promise;
      this.#flow();
    }
    this.#wanted = 0;
    return this.#take(length);
  }

  /** Stops listening, drops what is buffered and ends a pending read. */
  release(): void {
    this.#isBroken = true;
    this.#stream.removeEventListener("message", this.#onMessage);
    this.#stream.removeEventListener("end", this.#onEnd);
    this.#stream.removeEventListener("close", this.#onClose);
    this.#chunks = [];
    this.#buffered = 0;
    this.#wakeUp();
  }

  /** A closed stream may still hold bytes that came while it was paused. */
  #isOver(): boolean {
    return this.#hasEnded && (this.#stream.readBufferLength === 0 || this.#stream.readStatus !== "paused");
  }

  #take(length: number): Uint8Array {
    const [first] = this.#chunks;
    const all = this.#chunks.length === 1 && first !== undefined ? first : concatBytes(...this.#chunks);
    this.#chunks = length < all.length ? [all.subarray(length)] : [];
    this.#buffered -= length;
    return all.subarray(0, length);
  }

  readonly #onMessage = (event: MessageStreamEvents["message"]): void => {
    this.#chunks.push(event.data.subarray());
    this.#buffered += event.data.byteLength;
    // resume() delivers synchronously and then reopens the window, which would undo a pause made in here.
    if (!this.#isResuming) this.#flow();
    if (this.#buffered >= this.#wanted) this.#wakeUp();
  };

  readonly #onEnd = (): void => {
    this.#hasEnded = true;
    this.#wakeUp();
  };

  readonly #onClose = (event: MessageStreamEvents["close"]): void => {
    if (event.error !== undefined) this.#isBroken = true;
    this.#onEnd();
  };

  #wakeUp(): void {
    this.#wake?.();
    this.#wake = undefined;
  }

  /** Pauses or resumes the sender, whichever the buffer calls for. */
  #flow(): void {
    if (this.#isFull()) this.#pause();
    else if (this.#stream.readStatus === "paused") this.#resume();
  }

  #resume(): void {
    this.#isResuming = true;
    try {
      this.#stream.resume();
    } finally {
      this.#isResuming = false;
    }
    if (this.#isFull()) this.#pause();
  }

  #pause(): void {
    if (this.#stream.readStatus === "readable") this.#stream.pause();
  }

  #isFull(): boolean {
    return this.#buffered >= Math.max(READ_AHEAD_BYTES, this.#wanted);
  }
}

/** Sends, and waits while the peer does not read. @throws when the stream breaks meanwhile. */
export async function writeToStream(stream: Stream, data: Uint8Array): Promise<void> {
  stream.send(data);
  while (stream.writeBufferLength > WRITE_AHEAD_BYTES) {
    if (stream.status !== "open" && stream.status !== "closing")
      throw new StreamError({ code: "STREAM_ENDED" });
    await nextOf(stream, ["drain", "idle", "close"]);
  }
}

function nextOf(stream: Stream, names: readonly ("drain" | "idle" | "close")[]): Promise<void> {
  return new Promise((resolve) => {
    const settle = () => {
      for (const name of names) stream.removeEventListener(name, settle);
      resolve();
    };
    for (const name of names) stream.addEventListener(name, settle);
  });
}
