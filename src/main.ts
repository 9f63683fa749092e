/** argv to command. The only place that ends the process, and the only one that prints an error. */

import { EXIT, exitCodeOf } from "./exit-codes.ts";
import { Failure, type FailureReport } from "./failure.ts";
import { fitted } from "./report/progress.ts";
import { serviceCommand } from "./service-commands.ts";
import { VERSION } from "./version.ts";

async function main(argv: string[]): Promise<number> {
  const perform = serviceCommand(argv.slice(2));
  if (perform !== null) return perform();
  const { performCommandLine } = await import("./command-line.ts");
  return performCommandLine(argv, (message) => {
    if (isJsonWanted) answerJson({ kind: "usage", message, nextStep: "Run: idc-helper --help" });
  });
}

/** A program that asked for JSON gets it whatever happens. */
const isJsonWanted = process.argv.includes("--json");

function answerJson(report: FailureReport): void {
  process.stdout.write(`${JSON.stringify({ result: "failed", ...report })}\n`);
}

function explain(error: unknown): number {
  if (error instanceof Failure) {
    if (isJsonWanted) {
      answerJson(error.report());
      return exitCodeOf(error.kind);
    }
    const text = `${error.message}\n${error.nextStep === "" ? "" : `  ${error.nextStep}\n`}`;
    process.stderr.write(fitted(text, process.stderr));
    return exitCodeOf(error.kind);
  }
  // A bug. Its stack is what a report of it needs; it names code, never data.
  process.stderr.write(
    `idc-helper ${VERSION} failed unexpectedly. Please report this:\n${error instanceof Error ? error.stack : String(error)}\n`,
  );
  return EXIT.failed;
}

process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  // The reader of a pipe (`| head`) has gone: nothing is left to say.
  if (error.code === "EPIPE") process.exit(EXIT.done);
});
// There is nowhere left to say that it could not be said; the exit status still tells how it went.
process.stderr.on("error", () => undefined);

main(process.argv)
  .catch(explain)
  // What still waits for something (a step that was interrupted) is not waited for; standard output to a file, a pipe
  // or a terminal is written synchronously here (Node, process I/O).
  .then((code) => process.exit(code));
