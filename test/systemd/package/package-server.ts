/** A company's own web server with the packages, at the address that the README uses for one. */
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer } from "node:https";
import { join } from "node:path";
import { createAuthority, issueServerCertificate } from "../../harness/certificates.ts";
import type { Machine } from "../machine.ts";

const NAME = "packages.example.com";
const FOLDER = "/idc-codedeploy-helper/";
/** A machine shares our loopback: an address of each run's own, so that two of them, and a web server, do not meet. */
const ADDRESS = `127.83.${(process.pid >> 8) & 255}.${process.pid & 255}`;

export class PackageServer {
  /** What is served: a repository. */
  directory: string;
  /** As a machine reaches it that it has been introduced to. */
  readonly url = `https://${NAME}${FOLDER.replace(/\/$/, "")}`;
  readonly #server;
  readonly #ca: string;

  private constructor(directory: string) {
    this.directory = directory;
    const authority = createAuthority();
    this.#ca = authority.cert;
    this.#server = createServer(issueServerCertificate(authority, { hosts: [NAME] }), (request, response) => {
      const { pathname } = new URL(request.url ?? "/", `https://${NAME}`);
      try {
        response.end(readFileSync(join(this.directory, pathname.slice(FOLDER.length))));
      } catch {
        response.writeHead(404).end();
      }
    });
  }

  static async start(directory: string): Promise<PackageServer> {
    const server = new PackageServer(directory);
    server.#server.listen(443, ADDRESS);
    await once(server.#server, "listening");
    return server;
  }

  /** As inside a company: the name resolves, and its CA is known. */
  async introduceTo(machine: Machine): Promise<void> {
    await machine.write("/usr/local/share/ca-certificates/company.crt", this.#ca);
    await machine.sh(`update-ca-certificates >/dev/null 2>&1; echo '${ADDRESS} ${NAME}' >>/etc/hosts`);
  }

  stop(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }
}
