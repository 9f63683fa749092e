/** `idc-codedeploy-helper.service` of a scratch host: Type=notify, its own user, its directories made at a start. */
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Status } from "../../../src/report/status.ts";
import { COMMAND, launch } from "../launch.ts";
import { type NotifySocket, openNotifySocket } from "../notify-socket.ts";
import type { HostInside } from "./inside.ts";
import { setOwner } from "./layout.ts";
import { type JobResult, type MainProcess, ProcessUnit } from "./unit.ts";

const DIRECTORIES = [
  { path: "/var/lib/idc-codedeploy-helper", mode: 0o750 },
  { path: "/run/idc-codedeploy-helper", mode: 0o755 },
];

export class HelperUnit extends ProcessUnit {
  readonly name = "idc-codedeploy-helper.service";
  override readonly wants = ["idc-codedeploy-helper-agent.path"];
  readonly #inside: HostInside;
  #systemd: NotifySocket | null = null;

  constructor(inside: HostInside) {
    super();
    this.#inside = inside;
  }

  isInstalled(): boolean {
    return true;
  }

  execReload(): string {
    return `/bin/sh -c 'kill -s HUP "$MAINPID"'`;
  }

  async reload(): Promise<JobResult> {
    process.kill(this.mainPid, "SIGHUP");
    return null;
  }

  /** What the service has told systemd, one text for each datagram. */
  notifications(): readonly string[] {
    return this.#systemd?.messages() ?? [];
  }

  close(): void {
    this.#systemd?.close();
  }

  protected launchMain(): MainProcess | null {
    const { directory, timeFactor } = this.#inside;
    if (!existsSync(join(directory, "etc/idc-codedeploy-helper/config.yaml"))) return null;
    for (const { path, mode } of DIRECTORIES) {
      mkdirSync(join(directory, path), { recursive: true });
      setOwner(join(directory, path), { mode, owner: "idc-helper" });
    }
    return timeFactor === 1 ? this.#launchWatched() : this.#launchFast();
  }

  #launchWatched(): MainProcess {
    const path = join(this.#inside.directory, "run/systemd/notify");
    this.#systemd ??= openSocket(path);
    const { length } = this.#systemd.messages();
    const launched = this.#launch({
      NOTIFY_SOCKET: "/run/systemd/notify",
      STATE_DIRECTORY: "/var/lib/idc-codedeploy-helper",
      RUNTIME_DIRECTORY: "/run/idc-codedeploy-helper",
    });
    const isReady = () =>
      this.notifications()
        .slice(length)
        .some((message) => /^READY=1$/m.test(message));
    return { launched, isReady };
  }

  /** The time factor is refused in a service, so this one must not look like one: its status tells that it is up. */
  #launchFast(): MainProcess {
    const launched = this.#launch({});
    const isReady = () => {
      const status = readStatus(join(this.#inside.directory, "run/idc-codedeploy-helper/status.json"));
      return status?.pid === launched.pid && status.state !== "starting";
    };
    return { launched, isReady };
  }

  #launch(env: NodeJS.ProcessEnv) {
    const { enter, serviceEnv } = this.#inside;
    const prefix = [...enter("idc-helper"), "sh", "-c", 'umask 0027; exec "$@"', "sh"];
    return launch({ program: COMMAND, args: ["run"], prefix, env: { ...serviceEnv(), ...env } });
  }
}

function openSocket(path: string): NotifySocket {
  const socket = openNotifySocket(path);
  setOwner(path, { mode: 0o777 });
  return socket;
}

function readStatus(path: string): Status | null {
  try {
    return JSON.parse(readFileSync(path, "utf8"));
  } catch {
    return null;
  }
}
