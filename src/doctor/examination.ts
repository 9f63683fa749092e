/** What the checks have in common: the facts of one host, gathered once. Nothing in here changes anything. */
import { CONFIG_FILE } from "../config/paths.ts";
import { AgentFacts } from "./agent-facts.ts";
import { AwsFacts } from "./aws-facts.ts";
import { HostFacts } from "./host-facts.ts";

export interface ExaminationOptions {
  configPath: string;
  /** The operator's profile; null for the SDK's chain. */
  profile: string | null;
  /** Also try what shows up in CloudTrail. */
  deep: boolean;
  env: NodeJS.ProcessEnv;
  factor: number;
}

export class Examination {
  readonly options: ExaminationOptions;
  readonly host: HostFacts;
  readonly agent: AgentFacts;
  readonly aws: AwsFacts;
  readonly isRoot = process.geteuid?.() === 0;

  constructor(options: ExaminationOptions) {
    this.options = options;
    this.host = new HostFacts(options);
    this.agent = new AgentFacts(this.host);
    this.aws = new AwsFacts(this.host, this.agent, options);
  }

  /** One of our own commands, on the configuration that is examined. */
  own(command: string): string {
    const { configPath } = this.options;
    return `idc-helper ${command}${configPath === CONFIG_FILE ? "" : ` --config ${configPath}`}`;
  }

  /** What lets a check see more. */
  get asRoot(): { mend: readonly string[] } {
    return { mend: this.isRoot ? [] : [this.own("doctor")] };
  }
}
