"""What the guides' script does from cron: AssumeRole with boto3, then the credentials file written in place.

The key is in the environment. Arguments: endpoint, credentials file, the time limit of one attempt in seconds or
"default". Prints the SDK's own limits as JSON first.
"""
import json
import sys

import boto3
from botocore.config import Config

endpoint, path, limit = sys.argv[1:]
limits = {} if limit == "default" else {"connect_timeout": float(limit), "read_timeout": float(limit)}
sts = boto3.client(
    "sts",
    region_name="ap-northeast-2",
    endpoint_url=endpoint,
    config=Config(**limits),
)
used = sts.meta.config
print(json.dumps({"readTimeoutS": used.read_timeout, "connectTimeoutS": used.connect_timeout}), flush=True)
answer = sts.assume_role(
    RoleArn="arn:aws:iam::123456789012:role/CodeDeployIDC-Instance-Profile",
    RoleSessionName="serial-ABCDEFG",
    DurationSeconds=3600,
)
credentials = answer["Credentials"]
text = (
    "[default]\n"
    f"aws_access_key_id = {credentials['AccessKeyId']}\n"
    f"aws_secret_access_key = {credentials['SecretAccessKey']}\n"
    f"aws_session_token = {credentials['SessionToken']}\n"
)
with open(path, "w") as file:
    file.write(text)
