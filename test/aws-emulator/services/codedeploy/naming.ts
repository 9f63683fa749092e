/** Instance names and the ARNs an instance is registered with, checked as CodeDeploy checks them. */
import { AwsError } from "../../aws-error.ts";
import type { JsonObject } from "../../json.ts";
import { optionalString, stringList } from "../parameters.ts";

/** FACTS, AWS: aws-cli's `customizations/codedeploy/utils.py`. */
const INSTANCE_NAME = /^[A-Za-z0-9+=,.@_-]{1,100}$/;
const SESSION_ARN =
  /^arn:(aws|aws-cn|aws-us-gov):sts::\d{12}:assumed-role\/[\w+=,.@-]{1,64}\/[\w+=,.@-]{2,64}$/;
const USER_ARN = /^arn:(aws|aws-cn|aws-us-gov):iam::\d{12}:user\/[!-~]{1,128}$/;

export function readInstanceName(parameters: JsonObject): string {
  const name = optionalString(parameters, "instanceName");
  if (name === undefined || name === "")
    throw new AwsError("InstanceNameRequiredException", "Instance name is missing");
  return checkedName(name);
}

/** At least one name and at most a hundred; more is the given exception, for the operations differ in it. */
export function readInstanceNames(parameters: JsonObject, tooManyCode: string): string[] {
  const names = stringList(parameters, "instanceNames");
  if (names.length === 0) throw new AwsError("InstanceNameRequiredException", "Instance name is missing");
  if (names.length > 100) throw new AwsError(tooManyCode, "The maximum number of instance names is 100");
  return names.map(checkedName);
}

export type IamIdentity =
  | { readonly iamSessionArn: string; readonly iamUserArn: null }
  | { readonly iamSessionArn: null; readonly iamUserArn: string };

export function readIamIdentity(parameters: JsonObject): IamIdentity {
  const iamSessionArn = optionalString(parameters, "iamSessionArn");
  const iamUserArn = optionalString(parameters, "iamUserArn");
  if (iamSessionArn !== undefined && iamUserArn !== undefined)
    throw new AwsError(
      "MultipleIamArnsProvidedException",
      "Both an IAM user ARN and an IAM session ARN were included in the request",
    );
  if (iamSessionArn !== undefined) {
    if (!SESSION_ARN.test(iamSessionArn))
      throw new AwsError(
        "InvalidIamSessionArnException",
        `IAM session ARN is in an invalid format: ${iamSessionArn}`,
      );
    return { iamSessionArn, iamUserArn: null };
  }
  if (iamUserArn === undefined)
    throw new AwsError("IamArnRequiredException", "No IAM ARN was included in the request");
  if (!USER_ARN.test(iamUserArn))
    throw new AwsError("InvalidIamUserArnException", `IAM user ARN is in an invalid format: ${iamUserArn}`);
  return { iamSessionArn: null, iamUserArn };
}

function checkedName(name: string): string {
  if (!INSTANCE_NAME.test(name) || name.startsWith("i-"))
    throw new AwsError("InvalidInstanceNameException", `Instance name is in an invalid format: ${name}`);
  return name;
}
