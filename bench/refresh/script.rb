# The same with the AWS SDK for Ruby, which the agent itself uses.
require "aws-sdk-core"

endpoint, role, serial, path = ARGV
sts = Aws::STS::Client.new(
  region: "ap-northeast-2",
  endpoint: endpoint,
  **(ENV["AWS_CA_BUNDLE"] ? { ssl_ca_bundle: ENV["AWS_CA_BUNDLE"] } : {})
)
credentials = sts.assume_role(role_arn: role, role_session_name: serial).credentials
File.write(path, <<~INI)
  [default]
  aws_access_key_id = #{credentials.access_key_id}
  aws_secret_access_key = #{credentials.secret_access_key}
  aws_session_token = #{credentials.session_token}
INI
