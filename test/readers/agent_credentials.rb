# The credentials provider of the original agent, on the Ruby SDK's own classes.
require "aws-sdk-core"

# What the agent adds to the SDK: a life of 1,800 s for whatever the file holds (FACTS; file_credentials.rb).
class AgentCredentials
  include Aws::CredentialProvider
  include Aws::RefreshingCredentials

  class << self
    attr_accessor :reads
  end

  def initialize(path)
    @path = path
    super()
  end

  private

  def refresh
    self.class.reads += 1
    begin
      @credentials = Aws::SharedCredentials.new(path: @path).credentials
    rescue Aws::Errors::NoSuchProfileError
      raise "no such profile"
    end
    raise "incomplete profile" if @credentials.nil?
    @expiration = Time.now + 1800
  end
end
