require "json"
require "puma"
require "puma/server"
require "rack/cors"
require_relative "app"

$stdout.sync = true

def finish(words)
  puts "corscheck: #{words}"
  exit 1
end

def origin(text)
  text.include?("*") && text != "*" ? /\A#{Regexp.escape(text).gsub('\*', ".+")}\z/ : text
end

policy = JSON.parse(ENV.fetch("CORSCHECK_POLICY"))
finish "unsupported a default: without a block nothing is allowed" if policy["default"]

begin
  app = Rack::Cors.new(App.new) do
    (policy["paths"] || [policy]).each do |rule|
      allow do
        origins(*Array(rule["origins"]).map { |text| origin(text) })
        options = {
          methods: rule["methods"] == ["*"] ? :any : rule["methods"].map { |method| method.downcase.to_sym },
          headers: rule["requestHeaders"] == ["*"] ? :any : rule["requestHeaders"],
          expose: rule["expose"],
          credentials: rule["credentials"],
        }
        options[:max_age] = rule["maxAge"] if rule["maxAge"]
        resource rule["path"] ? "#{rule["path"]}/*" : "*", options
      end
    end
  end
rescue Rack::Cors::Resource::CorsMisconfigurationError => error
  finish "refused #{error.message}"
end

server = Puma::Server.new(app)
server.add_tcp_listener(ENV.fetch("CORSCHECK_HOST"), ENV.fetch("CORSCHECK_PORT").to_i)
server.run.join
