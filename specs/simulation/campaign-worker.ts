/** A process that runs the seeds it is given, one at a time. */
import "../../node/polyfill.ts";
import { installNativeBackends } from "../../node/native/install.ts";
import { type Job, runJob } from "./job.ts";

await installNativeBackends();
process.on("message", (job: Job) => {
  process.send?.(runJob(job));
});
// Whoever gave the seeds is gone.
process.on("disconnect", () => process.exit());
process.send?.("ready");
