# What a Ruby script in the way of get_sts_creds does from cron: AssumeRole with the AWS SDK for Ruby, then the
# credentials file written in place.
#
# The key is in the environment. Arguments: endpoint, credentials file, the time limit of one attempt in seconds or
# "default". Prints the SDK's own limits as JSON first.
require "aws-sdk-core"
require "json"

endpoint, path, limit = ARGV
limits = limit == "default" ? {} : { http_open_timeout: limit.to_f, http_read_timeout: limit.to_f }
sts = Aws::STS::Client.new(
  region: "ap-northeast-2",
  endpoint: endpoint,
  **limits
)
puts JSON.generate(readTimeoutS: sts.config.http_read_timeout, connectTimeoutS: sts.config.http_open_timeout)
$stdout.flush
answer = sts.assume_role(
  role_arn: "arn:aws:iam::123456789012:role/CodeDeployIDC-Instance-Profile",
  role_session_name: "serial-ABCDEFG",
  duration_seconds: 3600
)
credentials = answer.credentials
text = <<~PROFILE
  [default]
  aws_access_key_id = #{credentials.access_key_id}
  aws_secret_access_key = #{credentials.secret_access_key}
  aws_session_token = #{credentials.session_token}
PROFILE
File.open(path, "w") { |file| file.write(text) }
