/** What V8 adds to Error; Node's types know it, the browser's do not. */
interface ErrorConstructor {
  stackTraceLimit: number;
  captureStackTrace(target: object): void;
}
