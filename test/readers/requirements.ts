/** What `make readers` needs of the machine: the AWS SDKs for Ruby and Python, and the AWS CLI. */
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import { run } from "./external-process.ts";

export interface Programs {
  ruby: string;
  python: string;
  awsCli: string;
  /** What was found, for the reader of the output. */
  versions: string[];
}

interface Requirement {
  key: Exclude<keyof Programs, "versions">;
  program: string;
  /** Succeeds and prints a version only where everything that is needed is there. */
  probe: string[];
  label: string;
  packages: string;
}

const REQUIREMENTS: readonly Requirement[] = [
  {
    key: "ruby",
    program: "ruby",
    probe: ["-e", 'require "aws-sdk-core"; print "aws-sdk-core ", Aws::CORE_GEM_VERSION'],
    label: "Ruby with aws-sdk-core",
    packages: "ruby ruby-aws-sdk-core",
  },
  {
    key: "python",
    program: "python3",
    probe: ["-c", 'import boto3; print("boto3", boto3.__version__)'],
    label: "Python 3 with boto3",
    packages: "python3-boto3",
  },
  { key: "awsCli", program: "aws", probe: ["--version"], label: "the AWS CLI", packages: "awscli" },
];

/** @throws naming everything that is missing, and how Debian installs it */
export async function findPrograms(env: NodeJS.ProcessEnv): Promise<Programs> {
  const programs: Programs = { ruby: "", python: "", awsCli: "", versions: [] };
  const missing: Requirement[] = [];
  for (const requirement of REQUIREMENTS) {
    const found = await firstThatWorks(requirement, env);
    if (!found) {
      missing.push(requirement);
      continue;
    }
    programs[requirement.key] = found.path;
    programs.versions.push(found.version);
  }
  if (missing.length > 0) {
    throw new Error(
      `make readers needs ${missing.map(({ label }) => label).join(", ")}.\n` +
        `On Debian: apt-get install -y ${missing.map(({ packages }) => packages).join(" ")}`,
    );
  }
  return programs;
}

/** The first on the path may be a version manager's shim, or an interpreter without the library. */
async function firstThatWorks(
  { program, probe }: Requirement,
  env: NodeJS.ProcessEnv,
): Promise<{ path: string; version: string } | undefined> {
  for (const directory of (env.PATH ?? "").split(delimiter)) {
    const path = join(directory, program);
    if (!isExecutable(path)) continue;
    const { exitCode, stdout } = await run(path, probe, env);
    if (exitCode === 0) return { path, version: stdout.trim() };
  }
  return undefined;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
