/** What a new user gets wrong: each is told what is wrong and what to do, and nothing has been changed. */
import { type Check, expectEqual, expectMatch } from "../systemd/checks.ts";
import { type ControlNode, extra, recapOf, type Variables } from "./control-node.ts";
import { difference, type Fleet, FRESH } from "./fleet.ts";

interface Mistake {
  title: string;
  variables?: Variables;
  /** Beside the endpoints of the emulated AWS. */
  config?: Variables;
  /** The operator's. */
  identity?: NodeJS.ProcessEnv;
  wrong: RegExp;
  todo: RegExp;
}

const NOBODY = { AWS_ACCESS_KEY_ID: undefined, AWS_SECRET_ACCESS_KEY: undefined };

/** On a host that is fresh. */
export const EARLY: readonly Mistake[] = [
  {
    title: "no serial, and a region that is none: both in one message",
    variables: { idc_helper_serial: "", idc_helper_region: "apne2" },
    wrong: /idc_helper_serial is not given\..*idc_helper_region is apne2\./,
    todo: /Set it for each host in the inventory.*Set an AWS region in group_vars/,
  },
  {
    title: "two hosts of one serial",
    variables: { idc_helper_serial: "serial-SAME01" },
    wrong: /More than one host has the idc_helper_serial serial-SAME01/,
    todo: /Set another for each host/,
  },
  {
    title: "a variable of a vault that was not given",
    variables: { idc_helper_base_secret_access_key: "{{ vault_nowhere }}" },
    wrong: /'vault_nowhere' is undefined/,
    todo: /may lie in a vault: is its file among the group_vars/,
  },
  {
    title: "an empty secret",
    variables: { idc_helper_base_secret_access_key: "" },
    wrong: /only the first is given/,
    todo: /Give both, the secret from a vault/,
  },
  {
    title: "a secret with a space in it",
    variables: { idc_helper_base_secret_access_key: "{{ vault_base_secret }} " },
    wrong: /idc_helper_base_secret_access_key holds a space, a line end/,
    todo: /Look at it in the vault/,
  },
  {
    title: "no operator",
    identity: NOBODY,
    wrong: /Unable to locate credentials/,
    todo: /set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, where ansible-playbook is started/,
  },
  {
    title: "an operator's profile that is not there",
    variables: { idc_helper_operator_profile: "nobody" },
    wrong: /The config profile \(nobody\) could not be found/,
    todo: /idc_helper_operator_profile/,
  },
  {
    title: "an operator's key that AWS does not know",
    identity: { AWS_ACCESS_KEY_ID: "AKIAIDCNOBODY0000001" },
    wrong: /AWS does not know the operator's key/,
    todo: /set AWS_PROFILE/,
  },
  {
    title: "a region without CodeDeploy behind it",
    variables: { idc_helper_region: "ap-nowhere-9" },
    config: { endpoints: { sts: "http://127.0.0.1:9" } },
    wrong: /Could not connect to the endpoint URL/,
    todo: /Is the region ap-nowhere-9 right, and can the control node reach AWS/,
  },
];

/** On a host that is well, and stays so. */
export const LATE: readonly Mistake[] = [
  {
    title: "another region than the host is registered in",
    variables: { idc_helper_region: "us-east-1" },
    wrong: /is registered as serial-FRESH01 in ap-northeast-2, not as serial-FRESH01 in us-east-1/,
    todo: /mend idc_helper_serial and idc_helper_region/,
  },
  {
    title: "a config with a key that there is not",
    config: { sesion_duration: "1h" },
    wrong: /sesion_duration/,
    todo: /one of|known here|did you mean/i,
  },
  {
    title: "base credentials that AWS does not know",
    variables: { idc_helper_base_access_key_id: "AKIAIDCNOBODY0000001" },
    wrong: /AWS does not (know|accept) the base credentials/,
    todo: /replace it|key is active/,
  },
  {
    title: "a repository that cannot be reached",
    variables: { idc_helper_repository_url: "https://127.0.0.1:9/idc" },
    wrong: /The package could not be installed on serial-FRESH01: .*Connection refused/,
    todo: /Is idc_helper_repository_url right, can the host reach it.*curl -fsSI https:\/\/127\.0\.0\.1:9\/idc\/repodata\/repomd\.xml/,
  },
];

export async function checkMessages(
  mistakes: readonly Mistake[],
  node: ControlNode,
  fleet: Fleet,
  check: Check,
): Promise<void> {
  for (const { title, variables = {}, config = {}, identity = {}, wrong, todo } of mistakes) {
    await check(`a mistake is said, with what to do about it: ${title}`, async () => {
      const before = await fleet.snapshot(FRESH);
      node.identity = identity;
      const { url } = fleet.emulator;
      const idc_helper_config = {
        endpoints: { sts: url, codedeploy: url },
        session_duration: "1h",
        ...config,
      };
      const all = extra({ idc_helper_batches: "100%", idc_helper_config, ...variables });
      // Two hosts of one name are seen in the play that has both.
      const limit = /two hosts/.test(title) ? [] : ["--limit", FRESH];
      const ended = await node.play("rollout", "-vvv", "--diff", ...limit, ...all);
      node.identity = {};
      expectEqual(recapOf(ended, FRESH).failed, 1, "failed", ended.output.slice(-6_000));
      const said = ended.stdout.replaceAll(/\s+/g, " ");
      expectMatch(said, wrong, "what is wrong");
      expectMatch(said, todo, "what to do");
      expectEqual(difference(before, await fleet.snapshot(FRESH)), "", "what has changed");
    });
  }
}

export async function checkNobodyTakenOut(node: ControlNode, check: Check): Promise<void> {
  await check("a mistake is said, with what to do about it: nobody to take out", async () => {
    const { code, output } = await node.play("deregister");
    expectEqual(code === 0, false, "whether it went through", output);
    expectMatch(output, /Say which hosts are to be taken out: -e idc_helper_hosts=/, "what it says");
  });
}
