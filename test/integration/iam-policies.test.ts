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
import {
  BASE_ROLE_ARN,
  openIamScene,
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

/** The step that fails first without a statement. */
const NEEDED_BY: Record<string, string> = {
  "base-trust AssumeWithACertificate": "refresh",
  "base AssumeTheHostRole": "refresh",
  "base InheritTheCertificatesName": "refresh",
  "trust AssumeAsAHost": "refresh",
  "trust InheritTheCertificatesName": "refresh",
  "role ReadRevisions": "fetch a revision",
  "role PollForCommands": "poll",
  "operator RegisterInstances": "register",
  "operator TagInstances": "tag",
  "operator ReadInstances": "read back",
  "operator DeregisterInstances": "deregister",
};

interface Cut {
  what: string;
  left: PrintedPolicies;
}

/** Everything printed but one statement, or but one action of a statement with several. */
function cuts({ documents, profile }: PrintedPolicies): (Cut & { neededBy: string | null })[] {
  return Object.entries(documents).flatMap(([name, document]) =>
    document.Statement.flatMap((statement) => {
      const others = document.Statement.filter((each) => each !== statement);
      const without = (Statement: typeof others): PrintedPolicies => {
        return { documents: { ...documents, [name as DocumentName]: { ...document, Statement } }, profile };
      };
      const what = `${name} ${statement.Sid}`;
      const whole = { what, left: without(others), neededBy: NEEDED_BY[what] ?? "(not in the table)" };
      if (statement.Action.length === 1) return [whole];
      const single = statement.Action.map((action) => {
        const Action = statement.Action.filter((each) => each !== action);
        return {
          what: `${what}: ${action}`,
          left: without([...others, { ...statement, Action }]),
          neededBy: null,
        };
      });
      return [whole, ...single];
    }),
  );
}

describe.each(VARIANTS)("with $name", { concurrent: true }, ({ printed, authPolicy }) => {
  it("a host's whole life passes under nothing but what is printed", async (test) => {
    const scene = await openIamScene(test, printed);
    test.expect(await live(scene, { authPolicy })).toEqual([]);
    const refused = scene.emulator.requests.list().filter(({ errorCode }) => errorCode !== null);
    test.expect(refused).toEqual([]);
  });

  it.for(cuts(printed))("without $what some step of it fails", async ({ left, neededBy }, test) => {
    const scene = await openIamScene(test, left);
    const [first] = await live(scene, { authPolicy });
    test.expect(first?.said).toMatch(/is not authorized to perform|AWS denies|gave no credentials/);
    if (neededBy !== null) test.expect(first?.name).toBe(neededBy);
  });
});

describe.concurrent("what is printed grants no more than that:", () => {
  const [{ printed: withKey }, , { printed: withCertificates }] = VARIANTS as [
    (typeof VARIANTS)[0],
    (typeof VARIANTS)[0],
    (typeof VARIANTS)[0],
  ];

  it("the base key assumes the role under a serial's name only, and may do nothing else", async (test) => {
    const { emulator } = await openIamScene(test, withKey);
    const client = stsClient(emulator);
    await assumeRole(client, { RoleSessionName: "serial-2" });
    await test.expect(assumeRole(client, { RoleSessionName: "someone" })).rejects.toThrow("sts:AssumeRole");
    const register = codedeployClient(emulator, { credentials: await client.config.credentials() });
    const read = new GetOnPremisesInstanceCommand({ instanceName: SERIAL });
    await test.expect(register.send(read)).rejects.toThrow("codedeploy:GetOnPremisesInstance");
  });

  it("the operator reaches instances named like a serial only, and cannot be a host", async (test) => {
    const { emulator } = await openIamScene(test, withKey);
    const client = codedeployClient(emulator);
    const read = (instanceName: string) => client.send(new GetOnPremisesInstanceCommand({ instanceName }));
    await test.expect(read("serial-2")).rejects.toMatchObject({ name: "InstanceNotRegisteredException" });
    await test.expect(read("web-1")).rejects.toMatchObject({ name: "AccessDeniedException" });
    const sts = stsClient(emulator, { credentials: OPERATOR_KEY });
    await test.expect(assumeRole(sts)).rejects.toMatchObject({ name: "AccessDenied" });
  });

  it("a host reads its revisions only, and has no word in CodeDeploy", async (test) => {
    const { emulator } = await openIamScene(test, withKey);
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
    const { emulator } = await openIamScene(test, withCertificates);
    const spec = { roleArn: BASE_ROLE_ARN, trustAnchorArn: TRUST_ANCHOR, commonName: "serial-2" };
    const { accessKeyId, secretAccessKey, sessionToken } = emulator.rolesAnywhere.createSession(spec);
    const client = stsClient(emulator, { credentials: { accessKeyId, secretAccessKey, sessionToken } });
    const { arn } = await assumeRole(client, { RoleSessionName: "serial-2" });
    test.expect(arn).toBe(`arn:aws:sts::123456789012:assumed-role/${ROLE_NAME}/serial-2`);
    const other = assumeRole(client, { RoleSessionName: SERIAL });
    await test.expect(other).rejects.toThrow(`sts:AssumeRole on resource: ${ROLE_ARN}`);
  });

  it("a certificate of another CA, or with a name that is no serial's, is good for nothing", async (test) => {
    const { emulator } = await openIamScene(test, withCertificates);
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
