/** All steps of an adoption, in their order, for either kind of old host. */

import type { CodeDeploy, Tag } from "../aws/codedeploy.ts";
import { addTags, describeTags, registerInstance } from "../registration/aws-steps.ts";
import { type ChangeStep, kept, planned } from "./change-step.ts";
import { cronStep } from "./cron-step.ts";
import type { Manifest } from "./manifest.ts";
import type { Findings } from "./request.ts";
import {
  agentSteps,
  backupStep,
  type Changes,
  filesStep,
  finishStep,
  serviceStep,
  type Takeover,
} from "./takeover-steps.ts";

export function takeoverSteps(findings: Findings, keepCron: boolean, factor: number): ChangeStep[] {
  const takeover: Takeover = { findings, factor, old: oldOf(findings) };
  const changes: Changes = { isConfigChanged: false, isBaseChanged: false, isUnitChanged: false };
  const first = [backupStep(takeover), filesStep(takeover, changes)];
  if (takeover.old.kind === "session") {
    const { credentialsFile } = takeover.old;
    return [
      ...first,
      serviceStep(takeover, changes),
      ...agentSteps(takeover, false),
      cronStep({ jobs: findings.jobs, keepCron, credentialsFile }),
      finishStep(takeover),
    ];
  }
  return [
    ...first,
    // Before the service: as soon as it has credentials it switches the agent over, which must then be known to AWS.
    ...registrationSteps(takeover, takeover.old),
    serviceStep(takeover, changes),
    ...agentSteps(takeover, true),
    farewellStep(findings, takeover.old),
    finishStep(takeover),
  ];
}

function oldOf({ manifest, setup, instance }: Findings): Manifest["old"] {
  if (manifest !== null) return manifest.old;
  if (setup.kind === "session") return { kind: "session", credentialsFile: setup.credentialsFile };
  const { userArn, accessKeyId } = setup;
  const { name, tags } = instance ?? { name: "", tags: [] };
  return { kind: "user", userArn, accessKeyId, instanceName: name, tags };
}

type OldUser = Extract<Manifest["old"], { kind: "user" }>;

function registrationSteps({ findings }: Takeover, old: OldUser): ChangeStep[] {
  const { sessionArn, composed } = findings;
  const { serial, region } = composed.config;
  const codedeploy = operators(findings);
  const wanted = { serial, sessionArn, region };
  const tags = findings.instance?.tags ?? old.tags;
  return [
    {
      id: "registration",
      title: "Register under its new name",
      plan: async () => ({
        ...(await registerInstance(codedeploy, wanted, false)),
        notes: [
          "Choose a time at which nothing is deployed to this host: a deployment that has begun belongs to the old name, and fails when the agent no longer polls under it.",
        ],
      }),
      run: () => registerInstance(codedeploy, wanted, true),
    },
    {
      id: "tags",
      title: "Give it the old one's tags",
      plan: () => planTags(codedeploy, serial, tags),
      run: () => addTags(codedeploy, serial, tags, true),
    },
  ];
}

/** Of an instance that may not be registered yet. */
async function planTags(codedeploy: CodeDeploy, serial: string, tags: readonly Tag[]) {
  const isThere = (await codedeploy.get(serial)) !== null;
  if (isThere || tags.length === 0) return addTags(codedeploy, serial, tags, false);
  return planned(`add ${describeTags(tags)}`);
}

/** Tags that were added to the old one meanwhile come along: the host must not drop out of a deployment group. */
function farewellStep(findings: Findings, old: OldUser): ChangeStep {
  const { instanceName, userArn } = old;
  const codedeploy = operators(findings);
  const stillThere = async () => {
    const found = await codedeploy.get(instanceName);
    return found === null || found.deregisteredAt !== null || found.userArn !== userArn ? null : found;
  };
  return {
    id: "old-registration",
    title: "Deregister the old name",
    plan: async () =>
      (await stillThere()) === null
        ? kept(`${instanceName} is not registered any more`)
        : planned(`deregister ${instanceName}, once the agent was seen polling under its new name`),
    run: async () => {
      const found = await stillThere();
      if (found === null) return kept(`${instanceName} is not registered any more`);
      await addTags(codedeploy, findings.composed.config.serial, found.tags, true);
      await codedeploy.deregister(instanceName);
      return { state: "done", detail: `${instanceName} is deregistered; AWS keeps the name taken for hours` };
    },
  };
}

function operators({ codedeploy }: Findings): CodeDeploy {
  if (codedeploy === null) throw new Error("this kind of adoption has an operator");
  return codedeploy;
}
