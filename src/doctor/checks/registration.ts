/** The registration, as this host remembers it and as AWS has it. */
import { sessionArn } from "../../aws/arn.ts";
import type { Instance, Tag } from "../../aws/codedeploy.ts";
import type { Config } from "../../config/config.ts";
import { registrationFile } from "../../config/paths.ts";
import { Failure } from "../../failure.ts";
import type { Registration } from "../../registration/record.ts";
import type { CheckGroup } from "../check.ts";
import type { Examination } from "../examination.ts";
import { type Finding, fail, left, pass, Unmet, warn } from "../finding.ts";
import type { RegistrationReading } from "../host-facts.ts";

export const registration: CheckGroup = {
  group: "Registration",
  checks: [
    {
      id: "registration.record",
      title: "Was completed",
      async run(examination) {
        const config = await examination.host.config();
        return judgeRecord(await examination.host.registration(), config);
      },
    },
    {
      id: "registration.aws",
      title: "AWS knows this host",
      async run(examination) {
        const config = await examination.host.config();
        return judgeInstance(await instanceOf(examination), config);
      },
    },
    {
      id: "registration.tags",
      title: "Tags",
      async run(examination) {
        const { serial } = await examination.host.config();
        const instance = await instanceOf(examination);
        if (instance === null || instance.deregisteredAt !== null)
          throw new Unmet(`${serial} is not registered`);
        const reading = await examination.host.registration();
        return judgeTags(instance, reading.kind === "read" ? reading.registration.tags : []);
      },
    },
  ],
};

/** Without an operator's rights nothing can be seen, and that is how a host should be. */
async function instanceOf({ aws }: Examination): Promise<Instance | null> {
  try {
    return await aws.instance();
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    const why = error.kind === "operator_credentials_missing" ? "there are none here" : error.message;
    throw new Unmet(`it takes operator's credentials (--profile, or your environment), and ${why}`);
  }
}

export function registerCommand({ serial, region, roleArn }: Config, tags: readonly Tag[] = []): string {
  const flags = tags.map(({ key, value }) => ` --tag ${quoted(`${key}=${value}`)}`);
  return `idc-helper register --serial ${serial} --region ${region} --role-arn ${roleArn}${flags.join("")}`;
}

/** For a shell. */
export function quoted(text: string): string {
  return /^[\w.:/@%+=,-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}

export function judgeRecord(reading: RegistrationReading, config: Config): Finding {
  const file = registrationFile(config.configFile);
  if (reading.kind === "none")
    return left(`there is no ${file}: this host was not set up by idc-helper register`);
  if (reading.kind === "unusable") {
    return warn(`${file} cannot be used: ${reading.why}`, {
      advice: "Registering again writes it anew, and changes nothing else.",
      mend: [registerCommand(config)],
    });
  }
  const { state, serial, sessionArn: arn, tags, startedAt } = reading.registration;
  if (state === "started") {
    return fail(`a registration was begun at ${startedAt} and did not end`, {
      advice: "It goes on where it stopped:",
      mend: [registerCommand(config, tags)],
    });
  }
  const expected = sessionArn(config.roleArn, config.serial);
  if (serial !== config.serial || arn !== expected) {
    return fail(`${arn} was registered, but the configuration says ${expected}`, {
      advice: "Put serial and role_arn back, or register what is configured now:",
      mend: [registerCommand(config, tags)],
    });
  }
  return pass(`${serial}, registered ${startedAt}`);
}

export function judgeInstance(instance: Instance | null, config: Config): Finding {
  const { serial, region } = config;
  const mend = [registerCommand(config)];
  if (instance === null) return fail(`CodeDeploy in ${region} knows no ${serial}`, { mend });
  if (instance.deregisteredAt !== null) {
    return fail(`${serial} was deregistered at ${instance.deregisteredAt.toISOString()}`, {
      advice: "Its name stays taken for some hours; then, or under another serial at once:",
      mend,
    });
  }
  if (instance.userArn !== null) {
    return fail(
      `${serial} is registered with the IAM user ${instance.userArn}, not with the role's session`,
      {
        mend: ["idc-helper adopt"],
      },
    );
  }
  const expected = sessionArn(config.roleArn, serial);
  if (instance.sessionArn !== expected) {
    return fail(`${serial} is registered with ${instance.sessionArn}, but this host polls as ${expected}`, {
      advice: "Put role_arn back to that role; or deregister it, and register it anew some hours later:",
      mend: ["idc-helper deregister", ...mend],
    });
  }
  return pass(`${serial}, as ${instance.sessionArn}`);
}

export function judgeTags(
  { name, tags }: Pick<Instance, "name" | "tags">,
  wanted: Registration["tags"],
): Finding {
  const missing = wanted.filter(
    ({ key, value }) => !tags.some((tag) => tag.key === key && tag.value === value),
  );
  if (missing.length > 0) {
    const shown = missing.map(({ key, value }) => `Key=${quoted(key)},Value=${quoted(value)}`).join(" ");
    const listed = missing.map(({ key, value }) => `${key}=${value}`).join(", ");
    return fail(`${listed} was given at the registration and is not there`, {
      mend: [`aws deploy add-tags-to-on-premises-instances --instance-names ${name} --tags ${shown}`],
    });
  }
  if (tags.length === 0) {
    return warn("it has none, so no deployment group can select it", {
      mend: [
        `aws deploy add-tags-to-on-premises-instances --instance-names ${name} --tags Key=Name,Value=${name}`,
      ],
    });
  }
  return pass(tags.map(({ key, value }) => `${key}=${value}`).join(", "));
}
