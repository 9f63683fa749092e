/** SELinux's denials in the audit log (auditd's text format), of those that concern the agent or us. */
const CONCERNS = /idc-helper|idc-codedeploy-helper|codedeploy/;

/** @returns one short line for each, oldest first */
export function findDenials(text: string, sinceMs: number): string[] {
  return text.split("\n").flatMap((line) => {
    if (!line.startsWith("type=AVC ") || !line.includes("denied") || !CONCERNS.test(line)) return [];
    const at = Number(/msg=audit\((\d+(?:\.\d+)?)/.exec(line)?.[1]) * 1_000;
    // One that was only logged, not enforced, did no harm.
    if (!(at >= sinceMs) || line.includes("permissive=1")) return [];
    const rights = /\{ ([^{}]*) \}/.exec(line)?.[1] ?? "something";
    const field = (name: string) => new RegExp(` ${name}="?([^" ]+)"?`).exec(line)?.[1];
    const target = field("path") ?? field("name") ?? field("tcontext") ?? "?";
    return [`${field("comm") ?? "?"} may not ${rights} ${target} (${field("tclass") ?? "?"})`];
  });
}
