/** Loaded before the stand-in agent, it makes the worker, and only the worker, deaf to SIGTERM. */
if (process.argv[1]?.includes("worker-process")) {
  const on = process.on;
  process.on = function (event, listener) {
    return on.call(this, event, event === "SIGTERM" ? () => undefined : listener);
  };
}
