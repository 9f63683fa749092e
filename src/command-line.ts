/** Every command with its options: what is parsed, what --help shows. Nothing of a command is loaded before it is called. */
import { Command, CommanderError } from "commander";
import { CONFIG_FILE } from "./config/paths.ts";
import { EXIT } from "./exit-codes.ts";
import { Failure, printable } from "./failure.ts";
import { VERSION } from "./version.ts";

type Action<T> = (options: T) => Promise<number>;

/**
 * @param misused is told what the parser finds wrong; a person has read it on standard error by then
 * @returns the exit status
 */
export async function performCommandLine(
  argv: readonly string[],
  misused: (message: string) => void,
): Promise<number> {
  let exitCode: number = EXIT.usage;
  try {
    await commandLine((code) => {
      exitCode = code;
    }).parseAsync(argv);
    return exitCode;
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return EXIT.done;
    misused(printable(withoutValues(error.message)).trim());
    return EXIT.usage;
  }
}

/** @param ended is told the exit status of the command that was called */
export function commandLine(ended: (exitCode: number) => void): Command {
  const perform =
    <T>(load: () => Promise<Action<T>>) =>
    async (options: T) =>
      ended(await (await load())(options));
  const program = new Command("idc-helper")
    // By default it gives up wrapping on a terminal of 60 columns.
    .configureHelp({ minWidthToWrap: 20 })
    .description(
      "Keeps the AWS CodeDeploy agent of this on-premises host supplied with credentials that work.",
    )
    .version(VERSION, "-V, --version")
    .configureOutput({ outputError: (text, write) => write(printable(withoutValues(text))) })
    .showHelpAfterError("Run idc-helper --help for the commands and their options.")
    .exitOverride();
  const command = (name: string, description: string) =>
    program
      .command(name)
      .usage("[options]")
      .summary(description)
      .description(`${description[0]?.toUpperCase()}${description.slice(1)}.`)
      .option("--config <file>", "the configuration", fileName("--config"), CONFIG_FILE)
      .exitOverride();

  program.commandsGroup("A host's life (as root):");
  command("register", "take this host from nothing to deployable; safe to run again")
    .option("--serial <serial>", "names this host to AWS; auto: from its hardware")
    .option("--region <region>", "AWS region, such as ap-northeast-2")
    .option("--role-arn <arn>", "the role that the host assumes")
    .option("--tag <Key=Value>", "a tag of the instance; give it as often as needed", collect)
    .option("--base-credentials <file>", BASE_CREDENTIALS, fileName("--base-credentials"))
    .option("--profile <name>", OPERATORS_PROFILE)
    .option(
      "--registered",
      "AWS is told elsewhere, tags too: the host's part alone, without an operator here",
    )
    .option("--install-agent", "install the CodeDeploy agent if it is not there")
    .option("--agent-source <url>", "a mirror of AWS's bucket to install it from: https:// or a directory")
    .option("--replace", "this host is a clone: set it up under another serial")
    .option("--same-host", "the hardware was replaced: it is no clone")
    .option("--dry-run", DRY_RUN)
    .option("--yes", DO_NOT_ASK)
    .option("--json", ANSWER_JSON)
    .action(perform(async () => (await import("./commands/operator.ts")).register));
  command("adopt", "take over a host that polls already: cron and script, or an IAM user's key")
    .option("--role-arn <arn>", "the host's role, where its path cannot be found out")
    .option("--serial <serial>", "of a host with an IAM user: names it from now on; auto: from its hardware")
    .option("--base-credentials <file>", BASE_CREDENTIALS, fileName("--base-credentials"))
    .option("--profile <name>", OPERATORS_PROFILE)
    .option("--keep-cron", "leave the old crontab entry in force")
    .option("--undo", "put everything back as it was")
    .option("--dry-run", DRY_RUN)
    .option("--yes", DO_NOT_ASK)
    .option("--json", ANSWER_JSON)
    .action(perform(async () => (await import("./commands/operator.ts")).adopt));
  command("deregister", "deregister this host, stop the service, remove our files")
    .option("--profile <name>", OPERATORS_PROFILE)
    .option("--keep-files", "leave config and credentials where they are")
    .option("--force", "also while a lifecycle event is in progress, whose deployment then fails")
    .option("--host-only", "leave AWS as it is (on a clone, whose twin keeps the name)")
    .option("--dry-run", DRY_RUN)
    .option("--yes", DO_NOT_ASK)
    .option("--json", ANSWER_JSON)
    .action(perform(async () => (await import("./commands/operator.ts")).deregister));
  command("iam", "print the IAM policies that hosts, their base identity and their operator need")
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
    .action(perform(async () => (await import("./commands/operator.ts")).iam));

  program.commandsGroup("How it stands:");
  command("status", "how things stand; exit 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN")
    .option("--json", ANSWER_JSON)
    .action(perform(async () => (await import("./commands/status.ts")).status));
  command("doctor", "every check of a healthy host, and what mends it; exit codes as status")
    .option("--deep", "also try what the host's base credentials need not; it shows up in CloudTrail")
    .option("--profile <name>", "the operator's profile, to see the registration (else the SDK's chain)")
    .option("--json", ANSWER_JSON)
    .action(perform(async () => (await import("./commands/operator.ts")).doctor));
  command("check-config", "is the configuration right, and what does it come to?")
    .option("--json", ANSWER_JSON)
    .addOption(hidden("--plan"))
    .addOption(hidden("--resolved-config"))
    .action(perform(async () => (await import("./commands/check-config.ts")).checkConfig));
  command("refresh", "get new credentials now and write the file that the agent reads")
    .option("--json", ANSWER_JSON)
    .addOption(hidden("--resolved-config"))
    .action(perform(async () => (await import("./commands/refresh.ts")).refresh));

  program.commandsGroup("Started by systemd:");
  command("run", "the service: refresh on schedule, for ever").action(
    perform(async () => (await import("./commands/run.ts")).run),
  );
  command("sync-agent", "make the agent's config match and have it load what it must (root)")
    .option("--json", ANSWER_JSON)
    .action(perform(async () => (await import("./commands/sync-agent.ts")).sync));

  program.commandsGroup("Of this program:");
  program
    .command("version")
    .summary("the version of this program")
    .description("The version of this program.")
    .usage("[options]")
    .option("--json", ANSWER_JSON)
    .exitOverride()
    .action(perform(async () => (await import("./commands/version.ts")).version));
  program.helpCommand("help [command]", "show the help of a command");
  return program;
}

const BASE_CREDENTIALS = "the key that may assume the role; - for standard input";
const OPERATORS_PROFILE = "the operator's profile; else the AWS SDK's default chain";
const DRY_RUN = "show what would be done, with every file's diff, and change nothing";
const DO_NOT_ASK = "do not ask";
const ANSWER_JSON = "answer with JSON";

const IAM_EXAMPLE = `
Example:
  idc-helper iam --account 123456789012 --region ap-northeast-2 --bucket my-revisions \\
    --serial-pattern 'web-*' --format cloudformation > idc-iam.json
  aws cloudformation deploy --stack-name idc-iam --template-file idc-iam.json \\
    --capabilities CAPABILITY_NAMED_IAM`;

/** What was typed by mistake may be a secret, and this text may go into a log. */
function withoutValues(message: string): string {
  return message
    .replace(/(unknown option '--?[^='\n]*)=[^\n]*'/, "$1=...'")
    .replace(/(Expected \d+ arguments? but got \d+)[\s\S]*/, "$1.\n");
}

/** PATH_MAX of Linux, without the zero at its end. */
const LONGEST_PATH = 4_095;

/** The value itself is not repeated: it is long, and may be a key that was pasted. */
function fileName(option: string) {
  return (value: string): string => {
    const bytes = Buffer.byteLength(value);
    if (bytes <= LONGEST_PATH) return value;
    throw new Failure({
      kind: "usage",
      message: `${option} takes the name of a file, which has at most ${LONGEST_PATH} bytes; ${bytes} were given`,
      nextStep: "Run: idc-helper --help",
    });
  };
}

function collect(value: string, before: string[] = []): string[] {
  return [...before, value];
}

function hidden(flags: string) {
  return new Command().createOption(flags).hideHelp();
}
