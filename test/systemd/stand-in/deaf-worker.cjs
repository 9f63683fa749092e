/**
 * Loaded before the stand-in agent, it makes the worker, and only the worker, deaf to SIGTERM: to the first
 * DEAF_TO_SIGNALS of them, as a worker is that was just being forked when the signal came, or to all.
 */
if (process.argv[1]?.includes("worker-process")) {
  let left = Number(process.env.DEAF_TO_SIGNALS ?? Number.POSITIVE_INFINITY);
  const on = process.on;
  process.on = function (event, listener) {
    if (event !== "SIGTERM") return on.call(this, event, listener);
    return on.call(this, event, (signal) => {
      if (left > 0) left -= 1;
      else listener(signal);
    });
  };
}
