"""What users run from cron today: AssumeRole with boto3, and the file written in place."""
import os
import sys

import boto3

endpoint, role, serial, path = sys.argv[1:5]
sts = boto3.client(
    "sts",
    region_name="ap-northeast-2",
    endpoint_url=endpoint,
    verify=os.environ.get("AWS_CA_BUNDLE", True),
)
credentials = sts.assume_role(RoleArn=role, RoleSessionName=serial)["Credentials"]
with open(path, "w", encoding="utf-8") as file:
    file.write(
        "[default]\n"
        f"aws_access_key_id = {credentials['AccessKeyId']}\n"
        f"aws_secret_access_key = {credentials['SecretAccessKey']}\n"
        f"aws_session_token = {credentials['SessionToken']}\n"
    )
