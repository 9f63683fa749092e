/** What `systemctl show` prints of a unit. */
import type { Unit } from "./unit.ts";
import type { UnitFiles } from "./unit-files.ts";

const SUB_STATES: Record<string, string> = {
  active: "running",
  inactive: "dead",
  failed: "failed",
  activating: "start",
  deactivating: "stop-sigterm",
  reloading: "reload",
};

export function propertiesOf(name: string, unit: Unit | undefined, files: UnitFiles): Map<string, string> {
  const isMasked = files.isMasked(name);
  if (unit === undefined || (!unit.isInstalled() && !isMasked)) {
    return new Map(Object.entries({ ...bare(name), LoadState: "not-found", LoadError: loadError(name) }));
  }
  const { activeState, execReload } = { activeState: unit.activeState, execReload: unit.execReload() };
  return new Map(
    Object.entries({
      ...bare(name),
      LoadState: isMasked ? "masked" : "loaded",
      ActiveState: activeState,
      SubState: name.endsWith(".path") && activeState === "active" ? "waiting" : SUB_STATES[activeState],
      UnitFileState: isMasked ? "masked" : files.isEnabled(name) ? "enabled" : "disabled",
      FragmentPath: isMasked ? `/etc/systemd/system/${name}` : files.fragment(name),
      DropInPaths: unit.dropIns().join(" "),
      MainPID: String(unit.mainPid),
      ControlGroup: unit.mainPid === 0 ? "" : `/system.slice/${name}`,
      InvocationID: unit.invocationId,
      Result: unit.result,
      ExecMainStatus: String(unit.exitStatus),
      ...(execReload === null ? {} : { CanReload: "yes", ExecReload: commandOf(execReload) }),
    }).map(([key, value]) => [key, value ?? ""]),
  );
}

const bare = (name: string) => ({
  Id: name,
  LoadState: "loaded",
  ActiveState: "inactive",
  SubState: "dead",
  UnitFileState: "",
  FragmentPath: "",
  DropInPaths: "",
  MainPID: "0",
  ControlGroup: "",
  InvocationID: "",
  CanReload: "no",
  ExecReload: "",
  Result: "success",
  NRestarts: "0",
  ExecMainStatus: "0",
  NeedDaemonReload: "no",
  Environment: "",
});

const loadError = (name: string) => `org.freedesktop.systemd1.NoSuchUnit "Unit ${name} not found."`;

function commandOf(command: string): string {
  const [path] = command.split(" ");
  return `{ path=${path} ; argv[]=${command} ; ignore_errors=no ; start_time=[n/a] ; stop_time=[n/a] ; pid=0 ; code=(null) ; status=0/0 }`;
}
