/**
 * The key that RPMs are signed with, for as long as it is needed. `IDC_SIGNING_KEY` is a file with the secret key
 * (ASCII-armoured, without a passphrase), or the id of a key in the caller's own GnuPG ring. The key itself must never
 * appear in an argument, in output or in a file that stays.
 */
import { execFile } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

export interface KeyRing {
  /** Signed in place; a signature that was there is replaced. */
  signRpms(files: readonly string[]): Promise<void>;
  /** Puts an ASCII-armoured signature beside the file, as FILE.asc. */
  signDetached(file: string): Promise<void>;
  /** ASCII-armoured, for the hosts. */
  publicKey(): Promise<string>;
}

export class SigningKey {
  readonly #given: string;

  constructor(given: string) {
    this.#given = given;
  }

  static fromEnvironment({ IDC_SIGNING_KEY }: NodeJS.ProcessEnv): SigningKey | null {
    return IDC_SIGNING_KEY ? new SigningKey(IDC_SIGNING_KEY) : null;
  }

  /** A key from a file lives in a ring of its own, which is gone afterwards. */
  async use<T>(work: (ring: KeyRing) => Promise<T>): Promise<T> {
    if (!existsSync(this.#given)) return work(keyRing(process.env, this.#given));
    const home = mkdtempSync(join(tmpdir(), "idc-gnupg-"));
    const env = { ...process.env, GNUPGHOME: home };
    try {
      await run("gpg", ["--batch", "--quiet", "--import", this.#given], { env });
      const { stdout } = await run("gpg", ["--batch", "--with-colons", "--list-secret-keys"], { env });
      const fingerprint = /^fpr:+([0-9A-F]{40}):/m.exec(stdout)?.[1];
      if (fingerprint === undefined) throw new Error(`${this.#given} (IDC_SIGNING_KEY) holds no secret key`);
      return await work(keyRing(env, fingerprint));
    } finally {
      // It started an agent of its own, by this directory's socket.
      await run("gpgconf", ["--kill", "all"], { env }).catch(() => undefined);
      rmSync(home, { recursive: true, force: true });
    }
  }
}

function keyRing(env: NodeJS.ProcessEnv, id: string): KeyRing {
  return {
    async signRpms(files) {
      // RHEL 9 and newer refuse SHA-1. Debian's rpm looks for gpg elsewhere.
      const macros = ["_gpg_name", id, "_gpg_digest_algo", "sha256", "__gpg", await gpgPath()];
      const defines: string[] = [];
      for (let index = 0; index < macros.length; index += 2) {
        defines.push("--define", `${macros[index]} ${macros[index + 1]}`);
      }
      await run("rpmsign", [...defines, "--addsign", ...files], { env });
    },
    async signDetached(file) {
      const how = ["--batch", "--yes", "--armor", "--digest-algo", "SHA256", "--local-user", id];
      await run("gpg", [...how, "--output", `${file}.asc`, "--detach-sign", file], { env });
    },
    async publicKey() {
      return (await run("gpg", ["--batch", "--armor", "--export", id], { env })).stdout;
    },
  };
}

async function gpgPath(): Promise<string> {
  return (await run("/bin/sh", ["-c", "command -v gpg"])).stdout.trim();
}
