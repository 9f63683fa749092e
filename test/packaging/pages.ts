/** The man pages render cleanly and say all that the program and its configuration have. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import * as z from "zod";
import { programFacts } from "../../packaging/commands.ts";
import { manPages } from "../../packaging/man-pages.ts";
import { configSchema } from "../../src/config/schema.ts";
import { type Check, expectEqual } from "../systemd/checks.ts";
import { run, type Workshop } from "./workshop.ts";

export async function checkPages({ directory }: Workshop, check: Check): Promise<void> {
  const pages = manPages();
  const shown = new Map<string, string>();
  for (const [name, text] of pages) {
    const file = join(directory, name);
    writeFileSync(file, text);
    await check(`${name} renders without a warning, by groff, man and mandoc`, async () => {
      const groff = await run("groff", ["-man", "-Tutf8", "-ww", "-b", file]);
      expectEqual(groff.stderr, "", "what groff complains of");
      const env = { ...process.env, MANWIDTH: "200", MAN_KEEP_FORMATTING: "", LC_ALL: "C.UTF-8" };
      const man = await run("man", ["--warnings=w", "--local-file", file], { env });
      expectEqual(man.stderr, "", "what man complains of");
      const lint = await run("mandoc", ["-Tlint", "-Wwarning", file]).catch((error) => error);
      expectEqual(lint.stdout, "", "what mandoc complains of");
      shown.set(name, man.stdout);
    });
  }
  await check("idc-helper(1) names every command and every option", async () => {
    const page = shown.get("idc-helper.1") ?? "";
    const { commands, options } = programFacts();
    const all = [
      ...commands.flatMap((command) => [command.name, ...names(command.options)]),
      ...names(options),
    ];
    const missing = all.filter((name) => !page.includes(name));
    expectEqual(missing.join(", "), "", "what is missing");
  });
  await check("idc-codedeploy-helper.yaml(5) names every key", async () => {
    const page = shown.get("idc-codedeploy-helper.yaml.5") ?? "";
    const missing = schemaKeys().filter((key) => !page.includes(key));
    expectEqual(missing.join(", "), "", "what is missing");
  });
}

function names(options: readonly { names: string[] }[]): string[] {
  return options.flatMap((option) => option.names);
}

interface JsonSchema {
  properties?: Record<string, JsonSchema>;
}

function schemaKeys(): string[] {
  const keysOf = ({ properties = {} }: JsonSchema, above = ""): string[] =>
    Object.entries(properties).flatMap(([name, schema]) =>
      schema.properties === undefined ? [above + name] : keysOf(schema, `${above}${name}.`),
    );
  return keysOf(z.toJSONSchema(configSchema, { io: "input", unrepresentable: "any" }) as JsonSchema);
}
