/**
 * The policies that `idc-helper iam` prints, put into the emulated account as the only rights there are: a host's
 * whole life passes under them, and for each statement taken out, and each action of one, some step of it fails.
 * So they are proven both sufficient and minimal.
 */
import { GetOnPremisesInstanceCommand } from "@aws-sdk/client-codedeploy";
import { describe, it } from "vitest";
import type { DocumentName } from "../../src/iam/output.ts";
import { OPERATOR_KEY, ROLE_ARN, ROLE_NAME } from "../aws-emulator/emulator.ts";
import { live, REVISIONS } from "../harness/host-life.ts";
import type { HostScene } from "../harness/host-scene.ts";
import {
  BASE_ROLE_ARN,
  openIamAccount,
  openIamHost,
  type PrintedPolicies,
  printPolicies,
  TRUST_ANCHOR,
} from "../harness/iam-account.ts";
import { SERIAL } from "../harness/scratch-host.ts";
import { assumeRole, codedeployClient, stsClient } from "../unit/aws-emulator/clients.ts";
import { sendSigned } from "../unit/aws-emulator/signed-request.ts";

const VARIANTS = [
  { name: "a shared key", authPolicy: false, printed: await printPolicies("key") },
  {
    name: "a shared key, and :enable_auth_policy:",
    authPolicy: true,
    printed: await printPolicies("key", "--auth-policy"),
  },
  {
    name: "a certificate on each host",
    authPolicy: true,
    printed: await printPolicies("certificate", "--auth-policy"),
  },
];

/** What fails first without a statement, or without an action of one: the command with its step, or the agent. */
const NEEDED_BY: Record<string, string> = {
  "base-trust AssumeWithACertificate": "register: assume-role",
  "base-trust AssumeWithACertificate, sts:AssumeRole": "register: assume-role",
  "base-trust AssumeWithACertificate, sts:SetSourceIdentity": "register: assume-role",
  "base-trust AssumeWithACertificate, sts:TagSession": "register: assume-role",
  "base AssumeTheHostRole": "register: assume-role",
  "base InheritTheCertificatesName": "register: assume-role",
  "base InheritTheCertificatesName, sts:SetSourceIdentity": "register: assume-role",
  "base InheritTheCertificatesName, sts:TagSession": "register: assume-role",
  "trust AssumeAsAHost": "register: assume-role",
  "trust InheritTheCertificatesName": "register: assume-role",
  "trust InheritTheCertificatesName, sts:SetSourceIdentity": "register: assume-role",
  "trust InheritTheCertificatesName, sts:TagSession": "register: assume-role",
  "role ReadRevisions": "fetch a revision",
  "role ReadRevisions, s3:GetObject": "fetch a revision",
  "role ReadRevisions, s3:GetObjectVersion": "fetch a version of a revision",
  "role PollForCommands": "register: verify",
  "role PollForCommands, codedeploy-commands-secure:PollHostCommand": "register: verify",
  "role PollForCommands, codedeploy-commands-secure:GetDeploymentSpecification":
    "agent: GetDeploymentSpecification",
  "role PollForCommands, codedeploy-commands-secure:PutHostCommandAcknowledgement":
    "agent: PutHostCommandAcknowledgement",
  "role PollForCommands, codedeploy-commands-secure:PutHostCommandComplete": "agent: PutHostCommandComplete",
  "operator RegisterInstances": "register: registration",
  "operator TagInstances": "register: tags",
  "operator TagInstances, codedeploy:AddTagsToOnPremisesInstances": "register: tags",
  "operator TagInstances, codedeploy:RemoveTagsFromOnPremisesInstances": "deregister: tags",
  "operator ReadInstances": "register: name",
  "operator DeregisterInstances": "deregister: deregistration",
};

interface Cut {
  what: string;
  /** A statement that an earlier variant has just so is proven there. */
  statement: string;
  left: PrintedPolicies;
}

/** Everything printed but one statement, or but one action of a statement with several. */
function cuts({ documents, profile }: PrintedPolicies): Cut[] {
  return Object.entries(documents).flatMap(([name, document]) =>
    document.Statement.flatMap((statement) => {
      const others = document.Statement.filter((each) => each !== statement);
      const cut = (action: string, Statement: typeof others): Cut => ({
        what: `${name} ${statement.Sid}${action}`,
        statement: `${name} ${JSON.stringify(statement)}`,
        left: { documents: { ...documents, [name as DocumentName]: { ...document, Statement } }, profile },
      });
      const whole = cut("", others);
      if (statement.Action.length === 1) return [whole];
      const single = statement.Action.map((action) => {
        const Action = statement.Action.filter((each) => each !== action);
        return cut(`, ${action}`, [...others, { ...statement, Action }]);
      });
      return [whole, ...single];
    }),
  );
}

const CUTS = VARIANTS.map(({ printed }, index) => {
  const earlier = VARIANTS.slice(0, index).flatMap((variant) => cuts(variant.printed));
  return cuts(printed)
    .filter(({ statement }) => !earlier.some((cut) => cut.statement === statement))
    .map((cut) => ({ ...cut, neededBy: NEEDED_BY[cut.what] ?? "(not in the table)" }));
});

describe.each(VARIANTS.map((variant, index) => ({ ...variant, cuts: CUTS[index] ?? [] })))(
  "with $name",
  // Five lives side by side, on a machine that may have other things to do.
  { concurrent: true },
  ({ printed, authPolicy, cuts }) => {
    it("a host's whole life passes under nothing but what is printed", async (test) => {
      const scene = await openIamHost(test, printed, { authPolicy });
      test.expect(await live(scene)).toBeNull();
      test.expect(refusals(scene)).toEqual([]);
    });

    for (const { what, left, neededBy } of cuts) {
      it(`without ${what} it comes no further than "${neededBy}"`, async (test) => {
        const mishap = await live(await openIamHost(test, left, { authPolicy }));
        test.expect(mishap?.at, mishap?.said).toBe(neededBy);
        test.expect(mishap?.said).toMatch(/AccessDenied|is not authorized to perform|gave no credentials/);
      });
    }
  },
);

/** Everything that AWS denied, up to the deregistration: the agent, which is left running, polls on in vain. */
function refusals({ emulator }: HostScene) {
  const requests = emulator.requests.list();
  const last = requests.findIndex(({ action }) => action === "DeregisterOnPremisesInstance");
  return requests.slice(0, last + 1).filter(({ errorCode }) => errorCode?.startsWith("AccessDenied"));
}

describe.concurrent("what is printed grants no more than that:", () => {
  const [{ printed: withKey }, , { printed: withCertificates }] = VARIANTS as [
    (typeof VARIANTS)[0],
    (typeof VARIANTS)[0],
    (typeof VARIANTS)[0],
  ];

  it("the base key assumes the role under a serial's name only, and may do nothing else", async (test) => {
    const emulator = await openIamAccount(test, withKey);
    const client = stsClient(emulator);
    await assumeRole(client, { RoleSessionName: "serial-2" });
    await test.expect(assumeRole(client, { RoleSessionName: "someone" })).rejects.toThrow("sts:AssumeRole");
    const register = codedeployClient(emulator, { credentials: await client.config.credentials() });
    const read = new GetOnPremisesInstanceCommand({ instanceName: SERIAL });
    await test.expect(register.send(read)).rejects.toThrow("codedeploy:GetOnPremisesInstance");
  });

  it("the operator reaches instances named like a serial only, and cannot be a host", async (test) => {
    const emulator = await openIamAccount(test, withKey);
    const client = codedeployClient(emulator);
    const read = (instanceName: string) => client.send(new GetOnPremisesInstanceCommand({ instanceName }));
    await test.expect(read("serial-2")).rejects.toMatchObject({ name: "InstanceNotRegisteredException" });
    await test.expect(read("web-1")).rejects.toMatchObject({ name: "AccessDeniedException" });
    const sts = stsClient(emulator, { credentials: OPERATOR_KEY });
    await test.expect(assumeRole(sts)).rejects.toMatchObject({ name: "AccessDenied" });
  });

  it("a host reads its revisions only, and has no word in CodeDeploy", async (test) => {
    const emulator = await openIamAccount(test, withKey);
    emulator.buckets.put({ name: `${REVISIONS}-of-others`, objects: { a: "b" } });
    const { credentials } = await assumeRole(stsClient(emulator));
    const path = `/${REVISIONS}-of-others/a`;
    const request = { credentials, service: "s3", method: "GET", path } as const;
    test.expect((await sendSigned(emulator.url, request)).status).toBe(403);
    const client = codedeployClient(emulator, { credentials });
    const read = new GetOnPremisesInstanceCommand({ instanceName: SERIAL });
    await test.expect(client.send(read)).rejects.toMatchObject({ name: "AccessDeniedException" });
  });

  it("a host's certificate is good for no other host's name", async (test) => {
    const emulator = await openIamAccount(test, withCertificates);
    const spec = { roleArn: BASE_ROLE_ARN, trustAnchorArn: TRUST_ANCHOR, commonName: "serial-2" };
    const { accessKeyId, secretAccessKey, sessionToken } = emulator.rolesAnywhere.createSession(spec);
    const client = stsClient(emulator, { credentials: { accessKeyId, secretAccessKey, sessionToken } });
    const { arn } = await assumeRole(client, { RoleSessionName: "serial-2" });
    test.expect(arn).toBe(`arn:aws:sts::123456789012:assumed-role/${ROLE_NAME}/serial-2`);
    const other = assumeRole(client, { RoleSessionName: SERIAL });
    await test.expect(other).rejects.toThrow(`sts:AssumeRole on resource: ${ROLE_ARN}`);
  });

  it("a certificate of another CA, or with a name that is no serial's, is good for nothing", async (test) => {
    const emulator = await openIamAccount(test, withCertificates);
    const spec = { roleArn: BASE_ROLE_ARN, trustAnchorArn: TRUST_ANCHOR, commonName: SERIAL };
    const create = (change: Partial<typeof spec>) => () =>
      emulator.rolesAnywhere.createSession({ ...spec, ...change });
    test.expect(create({})).not.toThrow();
    test
      .expect(create({ trustAnchorArn: TRUST_ANCHOR.replace("/1", "/2") }))
      .toThrow("Unable to assume role");
    test.expect(create({ commonName: "web-1" })).toThrow("Unable to assume role");
    test.expect(create({ roleArn: ROLE_ARN })).toThrow("Unable to assume role");
  });
});
