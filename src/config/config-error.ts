/** Everything that is wrong with a config file, at once, each with its place. */
import { Failure, printable } from "../failure.ts";

export interface ConfigIssue {
  file: string;
  /** 1-based. */
  line: number;
  /** Dotted, such as `network.proxy`; empty for the file as a whole. */
  key: string;
  message: string;
}

export class ConfigError extends Failure {
  readonly issues: ConfigIssue[];

  constructor(issues: ConfigIssue[]) {
    const [first] = issues;
    const summary = issues.length === 1 ? "" : `${issues.length} errors in the configuration:\n`;
    super({
      kind: "config",
      message: summary + issues.map(formatIssue).join("\n"),
      nextStep: `Mend ${first?.file ?? "the file"} and run: idc-helper check-config`,
    });
    this.issues = issues;
  }
}

export function formatIssue({ file, line, key, message }: ConfigIssue): string {
  return printable(`${file}:${line}: ${key === "" ? "" : `${key}: `}${message}`);
}
