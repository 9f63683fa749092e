/** Which CodeDeploy agent is installed here. Its package leaves a file that says so. */
import { AGENT_VERSION_FILE } from "../config/paths.ts";
import { readTextIfPresent } from "../host/read-file.ts";

/** @returns such as `1.8.1-36`; null where no version is to be found */
export async function readAgentVersion(): Promise<string | null> {
  const text = await readTextIfPresent(AGENT_VERSION_FILE, { maxBytes: 4_096, followLink: true }).catch(
    () => null,
  );
  // agent_version: OFFICIAL_1.8.1-36_rpm
  return /agent_version:\s*(?:[A-Za-z]+_)?(\d[\w.-]*?)(?:_(?:rpm|deb))?\s*$/m.exec(text ?? "")?.[1] ?? null;
}
