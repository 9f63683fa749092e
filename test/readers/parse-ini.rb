# The original: parses INI texts with the Ruby SDK's own parser. In: {"texts": [...]}. Out: what each holds, or null
# where the parser raises.
require "aws-sdk-core"
require "json"

texts = JSON.parse($stdin.read)["texts"]
parsed = texts.map do |text|
  begin
    Aws::IniParser.ini_parse(text)
  rescue IndexError
    nil
  end
end
puts JSON.generate(parsed)
