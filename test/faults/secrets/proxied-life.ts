/** A proxy that wants a password: it is in the environment, its only place, and nowhere else. */
import { join } from "node:path";
import { fixedPassword } from "../../aws-emulator/identity/canary.ts";
import { createAuthority, issueServerCertificate } from "../../harness/certificates.ts";
import { startProxy } from "../../harness/proxy.ts";
import { openScene } from "../../harness/scene.ts";
import { Ends } from "./ends.ts";
import type { Evidence } from "./evidence.ts";
import { filesBelow, secretFiles } from "./file-search.ts";
import { described } from "./forms.ts";

export async function liveBehindProxy(evidence: Evidence): Promise<void> {
  const ends = new Ends();
  try {
    const proxy = await startProxy({ refuses: true });
    ends.onTestFinished(() => proxy.close());
    const tls = issueServerCertificate(createAuthority(), { hosts: ["127.0.0.1"] });
    const withPassword = (scheme: string) => `${scheme}://who:${fixedPassword()}@127.0.0.1:${proxy.port}`;
    const { host } = await openScene(ends, {
      tls,
      config: "log: { level: debug, format: json }\n",
      env: { HTTPS_PROXY: withPassword("http") },
    });
    const run = host.startRun();
    for (const args of [
      ["refresh"],
      ["refresh", "--json"],
      ["doctor"],
      ["doctor", "--json"],
      ["status"],
      ["check-config"],
    ])
      evidence.takeResult(`idc-helper ${args.join(" ")} (a proxy refuses)`, await host.command(...args));
    for (const proxied of [
      withPassword("socks5"),
      `${withPassword("http")}:x`,
      `who:${fixedPassword()}@nowhere`,
    ]) {
      const { result } = host.start(["refresh"], { env: { HTTPS_PROXY: proxied } });
      evidence.takeResult("idc-helper refresh (a proxy that is none)", await result);
    }
    await host.waitForStatus(({ failure }) => failure !== undefined && failure !== null, "a failure");
    await run.stop();
    evidence.take("the service's log (a proxy refuses)", run.log());
    const written = filesBelow(host.directory, (path) => path === host.baseFile);
    for (const { path, sightings } of secretFiles(written))
      evidence.leaks.push({ where: join("…", path), what: described(sightings), around: "" });
    if (proxy.asked.length === 0) throw new Error("the proxy was not asked");
  } finally {
    await ends.close();
  }
}
