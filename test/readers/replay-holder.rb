# The original: puts the Ruby SDK's own SharedCredentials and RefreshingCredentials through histories of a file and
# a clock, and tells at each step whether the file was read and what the request would be signed with.
#
# In: {"path": file, "sequences": [{"name": ..., "steps": [...]}]}, see holder-sequences.ts.
# Out: for each sequence, for each step, an Observation, see stand-in-and-original.ts.
require "json"
require_relative "agent_credentials"

# The wall clock, which only the steps move.
module SteppedClock
  class << self
    attr_accessor :at_ms
  end

  def now(*)
    at(Rational(SteppedClock.at_ms, 1000))
  end

  def new(*arguments, **options)
    arguments.empty? && options.empty? ? now : super
  end
end
Time.singleton_class.prepend(SteppedClock)

def observe(step, path, holder)
  SteppedClock.at_ms = step["atMs"]
  if step.key?("file")
    step["file"].nil? ? File.delete(*Dir.glob(path)) : File.write(path, step["file"])
  end
  AgentCredentials.reads = 0
  raised = false
  begin
    # A worker that could not read at start is replaced by one that tries again.
    holder ||= AgentCredentials.new(path)
    credentials = holder.credentials
  rescue RuntimeError
    raised = true
  end
  [{ read: AgentCredentials.reads.positive?, raised: raised, accessKeyId: credentials&.access_key_id }, holder]
end

input = JSON.parse($stdin.read)
observations = input["sequences"].map do |sequence|
  File.delete(*Dir.glob(input["path"]))
  holder = nil
  sequence["steps"].map do |step|
    observation, holder = observe(step, input["path"], holder)
    observation
  end
end
puts JSON.generate(observations)
