/**
 * Entry of the worker process; started by the master alone, which passes everything as one JSON argument.
 */
import { runWorker, type WorkerOptions } from "./worker.ts";

try {
  const options: WorkerOptions = JSON.parse(process.argv[2] ?? "");
  await runWorker(options);
  // Scripts that outlived the longest wait, and idle connections, must not keep the process.
  process.exit(0);
} catch {
  process.exit(1);
}
