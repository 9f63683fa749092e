/** Lines of the agent's log, of the audit log and of `systemctl show`; and files of each that are made to be slow. */

export const LOG_LINES: readonly string[] = [
  '2026-11-28T02:00:45 INFO  [codedeploy-agent(4711)]: [Aws::CodeDeployCommand::Client 200 45.33 0 retries] poll_host_command(host_identifier:"arn:aws:sts::123456789012:assumed-role/Role/SN-1")',
  '2026-11-28T02:01:45 ERROR [codedeploy-agent(4711)]: [Aws::CodeDeployCommand::Client 400 0.33 0 retries] poll_host_command(host_identifier:"x") Aws::CodeDeployCommand::Errors::ExpiredTokenException',
  "2026-11-28 02:02:45 ERROR [codedeploy-agent(4711)]: InstanceAgent::Plugins::CodeDeployPlugin::CommandPoller: Cannot reach InstanceService: AccessDeniedException - is not authorized to perform: codedeploy-commands-secure:PollHostCommand",
  "[2026-11-28 02:59:45] INFO : master 1: been told to replace child 2",
  "[9999-99-99 99:99:99] ERROR ExpiredToken",
  "  from /opt/codedeploy-agent/lib/x.rb:1:in `y'",
];

export const AUDIT_LINES: readonly string[] = [
  'type=AVC msg=audit(1790000000.123:456): avc:  denied  { read } for  pid=1 comm="idc-helper" path="/etc/x" dev="vda1" scontext=a tcontext=b tclass=file permissive=0',
  "type=AVC msg=audit(99999999999999999999:1): avc:  denied  { } for comm=codedeploy",
  "type=AVC msg=audit(x): denied idc-helper",
];

export const UNIT_LINES: readonly string[] = [
  "LoadState=loaded",
  "LoadState=masked",
  "LoadState=not-found",
  "LoadState=error",
  "ActiveState=active",
  "ActiveState=inactive",
  "ActiveState=failed",
  "ActiveState=activating",
  "ActiveState=maintenance",
  "SubState=running",
  "MainPID=-1",
  "MainPID=1e9",
  'Environment="A=b c" D=e\\x20f "unclosed',
  "CanReload=yes",
  "Result=",
];

/** As much as is read of a log. */
const FULL = 256 * 1_024;
const full = (piece: string) => piece.repeat(Math.floor(FULL / piece.length));

export const LOG_CORPUS: readonly string[] = [
  "",
  full("\0"),
  full("\n"),
  full(" "),
  full("a"),
  full("a "),
  full("x A ["),
  full("x A [\n"),
  full("x A [(1"),
  full("x A [(1)]: [Aws::CodeDeployCommand::Client 200 \n"),
  full('x A [a(1)]: [Aws::CodeDeployCommand::Client 200 a] poll_host_command(host_identifier:"\n'),
  full("x 1 "),
  full("x\n1\n"),
  `x${" ".repeat(FULL)}A`,
  full("x  \n"),
  full('x A [a(1)]: [Aws::CodeDeployCommand::Client 200 a] poll_host_command(host_identifier:"")\n\n\n\n'),
  full("ExpiredToken AccessDenied "),
  full("2026-11-28T02:00:45 ExpiredToken\n"),
  full("been told to replace child\n"),
  full("type=AVC msg=audit(1:1): denied idc-helper { "),
  `type=AVC denied idc-helper msg=audit(1:1) ${full("{ ")}`,
  `type=AVC denied idc-helper msg=audit(1:1) ${full(" path=")}`,
];
