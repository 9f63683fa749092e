#!/usr/bin/python
"""What CodeDeploy is told of a host: its registration and its tags. Runs on the control node, with the operator's identity."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

DOCUMENTATION = r"""
module: on_premises_instance
short_description: Registers, tags and deregisters an on-premises instance of AWS CodeDeploy
description:
  - Meant for the control node (C(delegate_to) localhost), so that the operator's identity never comes to a host.
  - The identity is what boto3 finds there, in the environment or the profile; no argument takes a secret.
options:
  name:
    description: The instance's name, which is the host's serial.
    type: str
    required: true
  region:
    description: The region of CodeDeploy.
    type: str
    required: true
  role_arn:
    description: The role that the host assumes; with the name it makes the session ARN that AWS knows the host by.
    type: str
    required: true
  tags:
    description: Tags that the instance is to have. Others that it has stay.
    type: dict
    default: {}
  state:
    description: Whether it is to be registered.
    type: str
    choices: [present, absent]
    default: present
  profile:
    description: A profile of the control node's AWS files.
    type: str
  sts_endpoint:
    description: In place of AWS's own endpoint of STS.
    type: str
  codedeploy_endpoint:
    description: In place of AWS's own endpoint of CodeDeploy.
    type: str
requirements:
  - boto3
author:
  - idc-codedeploy-helper
"""

EXAMPLES = r"""
- name: The host is registered
  idc.codedeploy_helper.on_premises_instance:
    name: web-1
    region: ap-northeast-2
    role_arn: arn:aws:iam::123456789012:role/CodeDeployIDC-Instance-Profile
  delegate_to: localhost
"""

RETURN = r"""
session_arn:
  description: What AWS knows the host by.
  type: str
  returned: always
operator:
  description: The ARN that AWS was asked with.
  type: str
  returned: always
"""

import re

from ansible.module_utils.basic import AnsibleModule, missing_required_lib

try:
    import boto3
    from botocore.config import Config
    from botocore.exceptions import (
        BotoCoreError,
        ClientError,
        ConnectionError as UnreachableError,
        CredentialRetrievalError,
        HTTPClientError,
        NoCredentialsError,
        PartialCredentialsError,
        ProfileNotFound,
    )

    HAS_BOTO3 = True
except ImportError:
    HAS_BOTO3 = False

ROLE = re.compile(r"^arn:(aws[\w-]*):iam::(\d{12}):role/(?:.*/)?([\w+=,.@-]+)$")
OTHERS = (
    "Is role_arn right? If an IAM user's host is to change to the role, run idc-helper adopt there by hand; if the name is "
    "another machine's, choose another serial"
)
BLOCKED = "AWS keeps a deregistered name taken for hours: run this again later, or choose another serial"
IDENTITY = (
    "The operator's identity is what boto3 finds on the control node: set AWS_PROFILE, or AWS_ACCESS_KEY_ID and "
    "AWS_SECRET_ACCESS_KEY, where ansible-playbook is started, or idc_helper_operator_profile"
)
REFUSED_KEYS = ("InvalidClientTokenId", "UnrecognizedClientException", "SignatureDoesNotMatch", "InvalidSignatureException")
EXPIRED = ("ExpiredToken", "ExpiredTokenException", "RequestExpired")
DENIED = ("AccessDenied", "AccessDeniedException", "UnauthorizedOperation")


def error_code(error):
    return error.response.get("Error", {}).get("Code", "")


def next_step(error, region):
    if isinstance(error, (NoCredentialsError, PartialCredentialsError, CredentialRetrievalError, ProfileNotFound)):
        return IDENTITY
    if isinstance(error, (UnreachableError, HTTPClientError)):
        return "Is the region %s right, and can the control node reach AWS (DNS, HTTPS_PROXY)?" % region
    code = error_code(error) if isinstance(error, ClientError) else ""
    if code in EXPIRED:
        return "The operator's session on the control node has expired: log in again"
    if code in REFUSED_KEYS:
        return "AWS does not know the operator's key. " + IDENTITY
    if code in DENIED:
        return "The operator on the control node needs this right: idc-helper iam prints the policy"
    return "AWS was asked from the control node, in region %s" % region


class Instance(object):
    """One instance: each question and each change is one call."""

    def __init__(self, client, name):
        self.client = client
        self.name = name

    def look(self):
        try:
            found = self.client.get_on_premises_instance(instanceName=self.name)["instanceInfo"]
        except ClientError as error:
            if error_code(error) == "InstanceNotRegisteredException":
                return None
            raise
        return {
            "arn": found.get("iamSessionArn") or found.get("iamUserArn"),
            "tags": dict((tag["Key"], tag["Value"]) for tag in found.get("tags", [])),
            "deregistered": found.get("deregisterTime") is not None,
        }

    def register(self, arn):
        self.client.register_on_premises_instance(instanceName=self.name, iamSessionArn=arn)

    def deregister(self):
        self.client.deregister_on_premises_instance(instanceName=self.name)

    def tag(self, tags):
        self.client.add_tags_to_on_premises_instances(tags=pairs(tags), instanceNames=[self.name])

    def untag(self, tags):
        self.client.remove_tags_from_on_premises_instances(tags=pairs(tags), instanceNames=[self.name])


def pairs(tags):
    return [{"Key": key, "Value": str(value)} for key, value in sorted(tags.items())]


def shown(found):
    """For --diff."""
    if found is None or found["deregistered"]:
        return "not registered\n"
    lines = ["registered as %s" % found["arn"]]
    return "\n".join(lines + ["tag %s=%s" % pair for pair in sorted(found["tags"].items())]) + "\n"


def be_present(module, instance, arn):
    found = instance.look()
    if found is not None and found["deregistered"]:
        module.fail_json(msg="%s was deregistered. %s" % (instance.name, BLOCKED))
    if found is not None and found["arn"] != arn:
        module.fail_json(msg="the name %s is registered with another ARN: %s, not %s. %s" % (instance.name, found["arn"], arn, OTHERS))
    present = {} if found is None else found["tags"]
    wanted = dict((key, str(value)) for key, value in module.params["tags"].items())
    missing = dict((key, value) for key, value in wanted.items() if present.get(key) != value)
    # A key has one value: the old pair goes once the new one is there.
    replaced = dict((key, present[key]) for key in missing if key in present)
    if not module.check_mode:
        if found is None:
            instance.register(arn)
        if missing:
            instance.tag(missing)
        if replaced:
            instance.untag(replaced)
    after = {"arn": arn, "tags": dict(present, **missing), "deregistered": False}
    return found is None or bool(missing), found, after


def be_absent(module, instance, arn):
    found = instance.look()
    if found is None or found["deregistered"]:
        return False, None, None
    if found["arn"] != arn:
        module.fail_json(msg="%s is another's: it is registered with %s, not %s" % (instance.name, found["arn"], arn))
    if not module.check_mode:
        if found["tags"]:
            instance.untag(found["tags"])
        instance.deregister()
    return True, found, None


def run(module, match):
    partition, account, role = match.groups()
    params = module.params
    arn = "arn:%s:sts::%s:assumed-role/%s/%s" % (partition, account, role, params["name"])
    session = boto3.session.Session(profile_name=params["profile"], region_name=params["region"])
    # Many hosts at once: what is throttled is asked again.
    config = Config(retries={"mode": "standard", "max_attempts": 5})
    sts = session.client("sts", endpoint_url=params["sts_endpoint"], config=config)
    caller = sts.get_caller_identity()
    if caller["Account"] != account:
        module.fail_json(msg="the operator %s is of account %s, the role of %s" % (caller["Arn"], caller["Account"], account))
    client = session.client("codedeploy", endpoint_url=params["codedeploy_endpoint"], config=config)
    act = be_present if params["state"] == "present" else be_absent
    changed, before, after = act(module, Instance(client, params["name"]), arn)
    diff = {"before": shown(before), "after": shown(after)}
    module.exit_json(changed=changed, session_arn=arn, operator=caller["Arn"], diff=diff)


def main():
    module = AnsibleModule(
        argument_spec=dict(
            name=dict(type="str", required=True),
            region=dict(type="str", required=True),
            role_arn=dict(type="str", required=True),
            tags=dict(type="dict", default={}),
            state=dict(type="str", choices=["present", "absent"], default="present"),
            profile=dict(type="str"),
            sts_endpoint=dict(type="str"),
            codedeploy_endpoint=dict(type="str"),
        ),
        supports_check_mode=True,
    )
    if not HAS_BOTO3:
        module.fail_json(msg=missing_required_lib("boto3") + " It is needed on the control node.")
    match = ROLE.match(module.params["role_arn"])
    if match is None:
        module.fail_json(msg="role_arn is not the ARN of an IAM role: %s" % module.params["role_arn"])
    try:
        run(module, match)
    except (BotoCoreError, ClientError) as error:
        module.fail_json(msg="%s. %s." % (str(error).rstrip("."), next_step(error, module.params["region"])))


if __name__ == "__main__":
    main()
