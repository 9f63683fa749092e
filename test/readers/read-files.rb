# Reads credentials files as the CodeDeploy agent does (Aws::SharedCredentials) and asks STS who that is.
#
# In: {"files": [path, ...], "endpoint": url, "region": name}. Out: a reading for each, see file-readers.ts.
require "aws-sdk-core"
require "json"

input = JSON.parse($stdin.read)

readings = input["files"].map do |path|
  begin
    shared = Aws::SharedCredentials.new(path: path)
    sts = Aws::STS::Client.new(
      endpoint: input["endpoint"], region: input["region"], credentials: shared, retry_limit: 0
    )
    { sessionToken: shared.credentials.session_token, arn: sts.get_caller_identity.arn, error: nil }
  rescue StandardError => e
    { sessionToken: shared&.credentials&.session_token, arn: nil, error: "#{e.class}: #{e.message}" }
  end
end

puts JSON.generate(readings)
