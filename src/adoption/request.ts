/** What `adopt` was asked for, and what every part of it works on. */
import type { AgentService } from "../agent/service.ts";
import type { AgentSettings } from "../agent/settings.ts";
import type { CodeDeploy, Instance } from "../aws/codedeploy.ts";
import type { BaseMaterial } from "../registration/base-material.ts";
import type { ComposedConfig } from "../registration/config-text.ts";
import type { World } from "../registration/identities.ts";
import type { Registration } from "../registration/record.ts";
import type { CronJob, CronSearch } from "./cron-search.ts";
import type { Manifest, SavedJob } from "./manifest.ts";
import type { OldSetup } from "./old-setup.ts";

export interface AdoptFlags {
  config?: string;
  roleArn?: string;
  serial?: string;
  profile?: string;
  baseCredentials?: string;
  keepCron?: boolean;
  dryRun?: boolean;
  yes?: boolean;
  undo?: boolean;
  json?: boolean;
}

/** Everything that was found out before anything is changed. */
export interface Findings {
  settings: AgentSettings;
  service: AgentService;
  setup: OldSetup;
  manifest: Manifest | null;
  search: CronSearch;
  /** What will be, or is, disabled: of this search, or of the adoption that is gone on with. */
  jobs: SavedJob[];
  composed: ComposedConfig;
  world: World;
  sessionArn: string;
  material: BaseMaterial;
  previous: Registration | null;
  /** Null where the operator has no credentials, which the kind with a session does without. */
  codedeploy: CodeDeploy | null;
  /** The registration that there is today; null where nobody could look. */
  instance: Instance | null;
}

export function savedJob({ file, content, entry }: CronJob): SavedJob {
  return { file, content, line: entry.line, user: entry.user, schedule: entry.schedule };
}
