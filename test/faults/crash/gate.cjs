/**
 * Loaded by Node before our command (`--require`): stops the process once its pool thread waits for work, so that
 * strace can be put on exactly one of its threads and count that thread's calls from a known beginning. The random part
 * of temporary names is made zero, so that strace can be told the file that it is to wait for.
 */
const crypto = require("node:crypto");
const { readFileSync, readdirSync, stat } = require("node:fs");

const { randomBytes } = crypto;
crypto.randomBytes = (...args) =>
  args.length === 1 && args[0] === 6 ? Buffer.alloc(6) : randomBytes(...args);

// What the command starts is not stopped.
delete process.env.NODE_OPTIONS;
stat("/", () => undefined);

const told = (thread, file) => readFileSync(`/proc/self/task/${thread}/${file}`, "utf8");
const isIdlePool = (thread) =>
  /^libuv-worker/.test(told(thread, "comm")) && /^futex/.test(told(thread, "wchan"));

while (!readdirSync("/proc/self/task").some(isIdlePool));
process.kill(process.pid, "SIGSTOP");
