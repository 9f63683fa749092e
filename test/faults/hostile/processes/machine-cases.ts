/** The machine itself, as another hypervisor, another kernel or another user would have it: in a mount namespace. */
import type { Case } from "./case.ts";

const MEGABYTE = 1_024 * 1_024;

/** A file system of its own over a directory, with files made by printf(1) lines. */
const over = (directory: string, lines: string) =>
  `mkdir -p ${directory}; mount -t tmpfs none ${directory}; cd ${directory}; ${lines}; cd /; `;
const dmi = (serial: string, uuid = serial) =>
  over("/sys/class/dmi/id", `${serial} > product_serial; ${uuid} > product_uuid`);

const SERIALS: readonly (readonly [string, string])[] = [
  ["nothing", "true"],
  ["zeros", "head -c 100000000 /dev/zero"],
  ["100 MB of one letter", "head -c 100000000 /dev/zero | tr '\\0' a"],
  ["control characters", "printf '\\033[2J\\033]0;x\\007'"],
  ["bytes that are no UTF-8", "printf '\\377\\376\\200'"],
  ["a leading i-", "printf 'i-0123456789'"],
  ["spaces and slashes", "printf ' VMware-42 3f / a '"],
  ["lines", "printf 'a\\nb\\nc'"],
  ["placeholder", "printf 'To be filled by O.E.M.'"],
];

const register = [
  "register",
  "--dry-run",
  "--serial",
  "auto",
  "--region",
  "ap-northeast-2",
  "--role-arn",
  "arn:aws:iam::123456789012:role/Role",
];

const crontab = (name: string, lines: string): Case => ({
  group: "crontabs and scripts",
  name: `crontab: ${name}`,
  argv: ["adopt", "--dry-run"],
  arrange: () => undefined,
  inside: ({ files }) =>
    `${over("/var/spool/cron", lines)}${over("/etc/codedeploy-agent/conf", `printf 'region: ap-northeast-2\\niam_session_arn: arn:aws:sts::123456789012:assumed-role/Role/SN-1\\naws_credentials_file: ${files.credentials}\\n' > codedeploy.onpremises.yml`)}`,
  places: ({ port, directory }) => [`127.0.0.1:${port}`, directory, "operator", "AWS", "crontab", "/etc/"],
});

const repeated = (text: string) => `yes '${text}' | head -c ${MEGABYTE - 1}`;

export const MACHINE_CASES: readonly Case[] = [
  ...SERIALS.map(([name, serial]): Case => {
    return {
      group: "machine (DMI, /proc)",
      name: `DMI: ${name}`,
      argv: register,
      inside: () => dmi(serial),
      places: ({ port, directory }) => [
        `127.0.0.1:${port}`,
        directory,
        "/sys/class/dmi/id",
        "product serial",
        "operator",
        "agent",
        "/etc/",
      ],
    };
  }),
  ...[
    ["boot_id", "head -c 100000000 /dev/zero", "/proc/sys/kernel/random/boot_id"],
    ["boot_id of control characters", "printf '\\033[2J'", "/proc/sys/kernel/random/boot_id"],
    ["an empty boot_id", "true", "/proc/sys/kernel/random/boot_id"],
    ["uptime", "printf 'x'", "/proc/uptime"],
    ["uptime in the far future", "printf '1e300 1e300'", "/proc/uptime"],
    ["machine-id", "head -c 100000000 /dev/zero", "/etc/machine-id"],
  ].flatMap(([name = "", content = "", path = ""]) =>
    [
      ["refresh", "--json"],
      ["sync-agent", "--json"],
    ].map((argv): Case => {
      return {
        group: "machine (DMI, /proc)",
        name: `${path}: ${name}: ${argv[0]}`,
        argv,
        inside: ({ directory }) =>
          `${content} > ${directory}/fake; touch ${path} 2>/dev/null; mount --bind ${directory}/fake ${path}; `,
        places: ({ directory, port }) => [directory, `127.0.0.1:${port}`, path],
      };
    }),
  ),
  crontab(
    "1 MB of percent signs before a carriage return",
    `(printf '* * * * * x '; head -c 900000 /dev/zero | tr '\\0' %; printf '\\r') > u`,
  ),
  crontab("1 MB of one word", `(printf '* * * * * '; head -c 900000 /dev/zero | tr '\\0' a) > u`),
  crontab("1 MB of secrets", `(printf '* * * * * '; yes secret | tr -d '\\n' | head -c 900000) > u`),
  crontab(
    "as many settings as fit, and entries below",
    "(seq -f 'A%.0f=' 60000; yes '* * * * * assume-role' | head -20000) > u",
  ),
  crontab("entries without number", `${repeated("* * * * * assume-role x.sh")} > u`),
  crontab(
    "a hundred crontabs of 1 MB",
    `${repeated("* * * * * assume-role")} > u0; for i in $(seq 99); do ln u0 u$i; done`,
  ),
  crontab(
    "FIFOs, links, devices",
    "mkfifo a; ln -s /dev/zero b; ln -s c c; mkdir d; mknod e c 1 5; truncate -s 8G f",
  ),
  crontab("names", "touch -- '-x' '$(id)' \"$(printf '\\033[2J')\""),
  crontab("binary", "head -c 500000 /dev/urandom > u"),
  crontab(
    "scripts that are devices",
    "printf '* * * * * /dev/zero; /proc/self/mem; ../dev/random assume-role\\n' > u",
  ),
];
