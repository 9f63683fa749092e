"""Reads credentials files with boto3 and asks STS who that is.

In: {"files": [path, ...], "endpoint": url, "region": name}. Out: a reading for each, see file-readers.ts.
"""
import json
import os
import sys

import boto3
from botocore.config import Config

request = json.load(sys.stdin)
once = Config(retries={"max_attempts": 0})


def read(path):
    os.environ["AWS_SHARED_CREDENTIALS_FILE"] = path
    token = None
    try:
        session = boto3.Session(region_name=request["region"])
        token = session.get_credentials().token
        sts = session.client("sts", endpoint_url=request["endpoint"], config=once)
        return {"sessionToken": token, "arn": sts.get_caller_identity()["Arn"], "error": None}
    except Exception as error:  # whatever a reader raises is what the check reports
        return {"sessionToken": token, "arn": None, "error": f"{type(error).__name__}: {error}"}


json.dump([read(path) for path in request["files"]], sys.stdout)
