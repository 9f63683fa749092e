/** The stand-in `systemctl` of a scratch host: hands its arguments to the test's service manager, and prints its answer. */
import { connect } from "node:net";

const [socketPath = "", ...args] = process.argv.slice(2);
let answer = "";

const socket = connect(socketPath, () => {
  socket.write(`${JSON.stringify({ userId: process.geteuid?.(), args })}\n`);
});
socket.setEncoding("utf8");
socket.on("data", (text) => {
  answer += text;
});
socket.on("error", ({ message }) => {
  process.stderr.write(`Failed to connect to bus: ${message}\n`);
  process.exitCode = 1;
});
socket.on("end", () => {
  const { code, stdout, stderr } = JSON.parse(answer);
  process.stdout.write(stdout);
  process.stderr.write(stderr);
  process.exitCode = code;
});
