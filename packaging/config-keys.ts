/** The keys of the shipped config file with their defaults and what its comments say: the table of the man page. */

export interface ConfigKey {
  /** Such as `agent.on_drift`. */
  path: string;
  /** As the file writes it. */
  value: string;
  isRequired: boolean;
  /** What the file's comments say of it; may be empty. */
  text: string;
}

/** @param yaml config/config.yaml: keys in force are required, those in comments show their defaults */
export function configKeys(yaml: string): ConfigKey[] {
  const keys: ConfigKey[] = [];
  let section = "";
  let above: string[] = [];
  for (const line of yaml.split("\n")) {
    const key = /^(# )?( *)(\w+):(?: +(.*))?$/.exec(line);
    if (key === null) {
      // A comment that stands right above a key is about it.
      above = line.startsWith("# ") ? [...above, line.slice(2)] : [];
      continue;
    }
    const [, comment, indent = "", name = "", rest = ""] = key;
    const { value, text } = valueAndText(rest);
    const isRequired = comment === undefined;
    const said = isRequired ? [...above, text].join(" ").trim() : text;
    above = [];
    if (indent === "" && value === "") {
      section = name;
      continue;
    }
    const path = indent === "" ? name : `${section}.${name}`;
    const flow = /^\{ (.*) \}$/.exec(value);
    if (flow === null) {
      keys.push({ path, value, isRequired, text: said });
      continue;
    }
    for (const pair of flow[1]?.split(", ") ?? []) {
      const [each = "", its = ""] = pair.split(": ");
      keys.push({ path: `${path}.${each}`, value: its, isRequired, text: said });
    }
  }
  return keys;
}

function valueAndText(rest: string): { value: string; text: string } {
  const quoted = /^("[^"]*")\s*(?:# (.*))?$/.exec(rest);
  const plain = /^([^#]*?)\s*(?:# (.*))?$/.exec(rest);
  const found = quoted ?? plain;
  return { value: found?.[1] ?? rest, text: found?.[2] ?? "" };
}
