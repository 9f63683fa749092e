/** Opens a scratch host, says which processes run on it, and waits to be killed. */
import { HELPER, HostRoot } from "../harness/host-root.ts";

const host = await HostRoot.open({ endpoint: process.argv[2] ?? "" });
host.writeConfig();
host.writeBaseCredentials();
await host.services.start(HELPER);
await host.services.startAgent();
process.stdout.write(`${JSON.stringify({ directory: host.directory, pids: host.processes() })}\n`);
setInterval(() => undefined, 60_000);
