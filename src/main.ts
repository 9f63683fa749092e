/** argv to command. The only place that ends the process, and the only one that prints an error. */

import { Command, CommanderError } from "commander";
import { EXIT, exitCodeOf } from "./exit-codes.ts";
import { Failure } from "./failure.ts";
import { fitted } from "./report/progress.ts";
import { VERSION } from "./version.ts";

type Action<T> = (options: T) => Promise<number>;

async function main(argv: string[]): Promise<number> {
  let exitCode: number = EXIT.usage;
  // Each command's modules are loaded when it is called, so that none pays for another.
  const perform =
    <T>(load: () => Promise<Action<T>>) =>
    async (options: T) => {
      exitCode = await (await load())(options);
    };
  const program = new Command("idc-helper")
    .description(
      "Keeps the AWS CodeDeploy agent of this on-premises host supplied with credentials that work.",
    )
    .version(VERSION, "-V, --version")
    .helpCommand("help [command]", "show the help of a command")
    .showHelpAfterError("Run idc-helper --help for the commands and their options.")
    .exitOverride();
  const command = (name: string, description: string) => {
    return program
      .command(name)
      .description(description)
      .option("--config <file>", "the configuration", CONFIG_DEFAULT)
      .exitOverride();
  };
  command("run", "the service: refresh on schedule, for ever (systemd starts it)").action(
    perform(async () => (await import("./commands/run.ts")).run),
  );
  command("refresh", "get new credentials now and write the file that the agent reads")
    .option("--json", "answer with one line of JSON")
    .addOption(hidden("--resolved-config"))
    .action(perform(async () => (await import("./commands/refresh.ts")).refresh));
  command("sync-agent", "make the agent's config match and have it load what it must (root)")
    .option("--json", "answer with one line of JSON")
    .action(perform(async () => (await import("./commands/sync-agent.ts")).sync));
  registration(command("register", "take this host from nothing to deployable (root); safe to run again"))
    .option("--serial <serial>", "names this host to AWS; auto: from its hardware")
    .option("--region <region>", "AWS region, such as ap-northeast-2")
    .option("--role-arn <arn>", "the role that the host assumes")
    .option("--tag <Key=Value>", "a tag of the instance; give it as often as needed", collect)
    .option("--install-agent", "install the CodeDeploy agent if it is not there")
    .option("--agent-source <url>", "a mirror of AWS's bucket to install it from: https:// or a directory")
    .option("--replace", "this host is a clone: set it up under another serial")
    .option("--same-host", "the hardware was replaced: it is no clone")
    .action(perform(async () => (await import("./commands/register.ts")).register));
  command("deregister", "stop the service, deregister this host, remove our files (root)")
    .option("--profile <name>", "the operator's profile; else the AWS SDK's default chain")
    .option("--keep-files", "leave config and credentials where they are")
    .option("--host-only", "leave AWS as it is (on a clone, whose twin keeps the name)")
    .option("--dry-run", "show what would be done, and change nothing")
    .option("--yes", "do not ask")
    .option("--json", "answer with JSON")
    .action(perform(async () => (await import("./commands/deregister.ts")).deregister));
  registration(command("adopt", "take over a host that polls already: cron and script, or an IAM user's key"))
    .option("--role-arn <arn>", "the host's role, where its path cannot be found out")
    .option("--serial <serial>", "of a host with an IAM user: names it from now on; auto: from its hardware")
    .option("--keep-cron", "leave the old crontab entry in force")
    .option("--undo", "put everything back as it was")
    .action(perform(async () => (await import("./commands/adopt.ts")).adopt));
  command("status", "how things stand; exit 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN")
    .option("--json", "answer with JSON")
    .action(perform(async () => (await import("./commands/status.ts")).status));
  command("doctor", "every check of a healthy host, and what mends it; exit codes as status")
    .option("--deep", "also try what the host's base credentials need not; it shows up in CloudTrail")
    .option("--profile <name>", "the operator's profile, to see the registration (else the SDK's chain)")
    .option("--json", "answer with JSON")
    .action(perform(async () => (await import("./commands/doctor.ts")).doctor));
  command("check-config", "is the configuration right, and what does it come to?")
    .option("--json", "answer with JSON")
    .addOption(hidden("--plan"))
    .addOption(hidden("--resolved-config"))
    .action(perform(async () => (await import("./commands/check-config.ts")).checkConfig));
  command("iam", "the IAM policies that hosts, their base identity and their operator need")
    .option("--bucket <name>", "the S3 bucket of your revisions, the only one that hosts may read")
    .option("--role-arn <arn>", "the role that hosts assume (from the config)")
    .option("--account <id>", "in place of --role-arn: the account, for a role of the usual name")
    .option("--region <region>", "the region of CodeDeploy (from the config)")
    .option("--serial-pattern <pattern>", "serials that are allowed, such as 'web-*' (from the config)")
    .option("--base-arn <arn>", "what hosts call AssumeRole with (user/idc-codedeploy-base)")
    .option("--auth-policy", "the agent is set to :enable_auth_policy:")
    .option("--certificate", "a certificate on each host instead of a key (IAM Roles Anywhere)")
    .option("--trust-anchor-arn <arn>", "with --certificate: whose certificates are taken")
    .option("--profile-arn <arn>", "with --certificate: the profile of IAM Roles Anywhere")
    .option("--format <format>", "json, or cloudformation: one template for all of it")
    .option("--only <part>", "one bare document: role, trust, base, operator, base-trust, profile")
    .option("--json", "the same as --format json")
    .addHelpText("after", IAM_EXAMPLE)
    .action(perform(async () => (await import("./commands/iam.ts")).iam));
  program
    .command("version")
    .description("the version of this program")
    .option("--json", "answer with JSON")
    .action(perform(async () => (await import("./commands/version.ts")).version));
  await program.parseAsync(argv);
  return exitCode;
}

/** What commands have in common that act on AWS for an operator. */
function registration(command: Command): Command {
  return command
    .option("--profile <name>", "the operator's profile; else the AWS SDK's default chain")
    .option("--base-credentials <file>", "the key that may assume the role; - for standard input")
    .option("--dry-run", "show what would be done, with every file's diff, and change nothing")
    .option("--yes", "do not ask")
    .option("--json", "answer with JSON");
}

function collect(value: string, before: string[] = []): string[] {
  return [...before, value];
}

const CONFIG_DEFAULT = "/etc/idc-codedeploy-helper/config.yaml";

const IAM_EXAMPLE = `
Example:
  idc-helper iam --account 123456789012 --region ap-northeast-2 --bucket my-revisions \\
    --serial-pattern 'web-*' --format cloudformation > idc-iam.json
  aws cloudformation deploy --stack-name idc-iam --template-file idc-iam.json \\
    --capabilities CAPABILITY_NAMED_IAM`;

function hidden(flags: string) {
  return new Command().createOption(flags).hideHelp();
}

function explain(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.usage;
  if (error instanceof Failure) {
    const text = `${error.message}\n${error.nextStep === "" ? "" : `  ${error.nextStep}\n`}`;
    process.stderr.write(fitted(text, process.stderr));
    return exitCodeOf(error.kind);
  }
  // A bug. Its stack is what a report of it needs; it names code, never data.
  process.stderr.write(
    `idc-helper ${VERSION} failed unexpectedly. Please report this:\n${error instanceof Error ? error.stack : String(error)}\n`,
  );
  return EXIT.failed;
}

process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  // The reader of a pipe (`| head`) has gone: nothing is left to say.
  if (error.code === "EPIPE") process.exit(EXIT.done);
});

main(process.argv)
  .catch(explain)
  // What still waits for something (a step that was interrupted) is not waited for; standard output to a file, a pipe
  // or a terminal is written synchronously here (Node, process I/O).
  .then((code) => process.exit(code));
