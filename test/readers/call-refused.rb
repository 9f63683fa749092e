# The original when the service refuses its credentials: holds those of a file, lets the file be replaced, and calls.
#
# In: {"path": file, "replacement": content, "endpoint": url, "region": name}. Out: {"error": code or null}.
require "json"
require_relative "agent_credentials"

input = JSON.parse($stdin.read)
AgentCredentials.reads = 0
sts = Aws::STS::Client.new(
  endpoint: input["endpoint"], region: input["region"], credentials: AgentCredentials.new(input["path"])
)
File.write(input["path"], input["replacement"])
error =
  begin
    sts.get_caller_identity
    nil
  rescue Aws::Errors::ServiceError => e
    e.code
  end
puts JSON.generate(error: error, reads: AgentCredentials.reads)
