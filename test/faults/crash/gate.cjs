/**
 * Loaded by Node before our command (`--require`): stops the process once its pool thread waits for work, so that
 * strace can be put on exactly one of its threads and count that thread's calls from a known beginning.
 */
const { readFileSync, readdirSync, stat } = require("node:fs");

// What the command starts is not stopped.
delete process.env.NODE_OPTIONS;
stat("/", () => undefined);

const told = (thread, file) => readFileSync(`/proc/self/task/${thread}/${file}`, "utf8");
const isIdlePool = (thread) =>
  /^libuv-worker/.test(told(thread, "comm")) && /^futex/.test(told(thread, "wchan"));

while (!readdirSync("/proc/self/task").some(isIdlePool));
process.kill(process.pid, "SIGSTOP");
