/**
 * The documents for a person: each under a line that says what it is for, inside the AWS CLI command that puts
 * it there, so that each part can be pasted into a shell.
 */

import { baseArn, type IamInputs, roleArn } from "./inputs.ts";
import { CERTIFICATE_FILES, POLICY_NAMES } from "./names.ts";
import type { DocumentName, IamOutput } from "./output.ts";
import type { PolicyDocument } from "./policy-document.ts";

interface Section {
  heading: string;
  command: string;
}

export function pasteable(
  { documents, profile }: IamOutput,
  inputs: IamInputs,
  baseCredentialsFile: string,
): string {
  const sections = Object.entries(documents).map(([name, document]) => {
    const { heading, command } = SECTIONS[name as DocumentName](inputs);
    return `# ${heading}\n${command} ${quoted(document)}\n`;
  });
  if (profile !== null) sections.push(profileSection(profile, inputs, baseCredentialsFile));
  return sections.join("\n");
}

const SECTIONS: Record<DocumentName, (inputs: IamInputs) => Section> = {
  "base-trust": (inputs) => ({
    heading: `Base identity ${baseArn(inputs)}, who may assume it (where the role exists: aws iam update-assume-role-policy --policy-document)`,
    command: `aws iam create-role ${roleFlags(inputs.base)} --assume-role-policy-document`,
  }),
  base: (inputs) => {
    const { kind, name, path } = inputs.base;
    const creation = ` (new: aws iam create-user --user-name ${name}${pathFlag(path)})`;
    return {
      heading: `Base identity ${baseArn(inputs)}, what it may do${kind === "user" ? creation : ""}`,
      command: `aws iam put-${kind}-policy --${kind}-name ${name} --policy-name ${POLICY_NAMES.base} --policy-document`,
    };
  },
  trust: (inputs) => ({
    heading: `Host role ${roleArn(inputs)}, who may assume it (where the role exists: aws iam update-assume-role-policy --policy-document)`,
    command: `aws iam create-role ${roleFlags(inputs.role)} --max-session-duration ${inputs.maxSessionSeconds} --assume-role-policy-document`,
  }),
  role: (inputs) => ({
    heading: `Host role ${roleArn(inputs)}, what a host may do`,
    command: `aws iam put-role-policy --role-name ${inputs.role.name} --policy-name ${POLICY_NAMES.role} --policy-document`,
  }),
  operator: () => ({
    heading:
      "Operator, what whoever registers and deregisters hosts may do (then: aws iam attach-user-policy, or attach-role-policy)",
    command: `aws iam create-policy --policy-name ${POLICY_NAMES.operator} --policy-document`,
  }),
};

function profileSection(profile: string, { certificate }: IamInputs, file: string): string {
  const { helper, privateKey } = CERTIFICATE_FILES;
  const profileId = certificate?.profileArn.split("/").at(-1) ?? "";
  return [
    `# On each host: ${file}, instead of a key (root:idc-helper, mode 0640, as is ${privateKey}; needs ${helper})`,
    `# The profile ${profileId} of IAM Roles Anywhere must list the base role (aws rolesanywhere update-profile --role-arns)`,
    `install -o root -g idc-helper -m 0640 /dev/stdin ${file} <<'END'\n${profile}END\n`,
  ].join("\n");
}

function roleFlags({ path, name }: IamInputs["role"]): string {
  return `--role-name ${name}${pathFlag(path)}`;
}

function pathFlag(path: string): string {
  return path === "" ? "" : ` --path ${inQuotes(`/${path}`)}`;
}

function quoted(document: PolicyDocument): string {
  return inQuotes(JSON.stringify(document, null, 2));
}

function inQuotes(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
