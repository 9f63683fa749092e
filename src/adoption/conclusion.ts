/** What `adopt` says at its end: how things stand, and what can now be removed. */
import { adoptionDirectory } from "../config/paths.ts";
import type { Manifest } from "./manifest.ts";
import type { UserSetup } from "./old-setup.ts";
import type { Findings } from "./request.ts";

export interface Conclusion {
  changed: string;
  kept: string;
  /** For programs. */
  extra: object;
}

const KEPT = "This host is adopted already: nothing had to be changed.";

export function conclusionOf({ setup, composed, material }: Findings): Conclusion {
  const { serial, configFile } = composed.config;
  if (setup.kind === "session") {
    const own =
      material.text === null
        ? ""
        : `\nThe key that it starts from was copied from ${material.source}; if nothing else uses it there, remove it.`;
    return {
      changed: `${serial} is adopted: idc-codedeploy-helper keeps its credentials fresh. See how it stands: idc-helper status${own}`,
      kept: KEPT,
      extra: {},
    };
  }
  const removal = whatToDelete(setup, configFile);
  return {
    changed: `${serial} is adopted.\n${removal}`,
    kept: `${KEPT}\n${removal}`,
    extra: { can_be_deleted: { iam_user: setup.userName, access_key_id: setup.accessKeyId } },
  };
}

function whatToDelete({ userName, accessKeyId }: UserSetup, configFile: string): string {
  const key = accessKeyId === null ? "its access keys" : `its access key ${accessKeyId}`;
  const commands = [
    ...(accessKeyId === null
      ? []
      : [`aws iam delete-access-key --user-name ${userName} --access-key-id ${accessKeyId}`]),
    `aws iam delete-user --user-name ${userName}`,
  ];
  return [
    `The IAM user ${userName} and ${key} are of no more use to this host, and can now be deleted:`,
    ...commands.map((command) => `  ${command}`),
    `Copies of the agent's old config, with the key in it, lie in ${adoptionDirectory(configFile)} and beside the config (*.bak), for root's eyes only.`,
  ].join("\n");
}

export function undoneOf({ old }: Manifest): Conclusion {
  const how =
    old.kind === "session" ? `the agent reads ${old.credentialsFile}` : `the agent polls as ${old.userArn}`;
  return {
    changed: `The adoption is undone: ${how}, as before.`,
    kept: "Nothing had to be changed.",
    extra: {},
  };
}
