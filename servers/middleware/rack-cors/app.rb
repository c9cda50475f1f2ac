require "rack"

class App
  PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNgAAAAAgABSK+kcQAAAABJRU5ErkJggg==".unpack1("m")

  def answer(status, body, headers = {})
    [status, { "X-App" => "corscheck", "Content-Type" => "text/plain" }.merge(headers), [body]]
  end

  def resource(headers = {})
    answer(200, "resource", { "Vary" => "Accept-Language", "X-Secret" => "secret", "X-Other" => "other",
                              "ETag" => '"r"', "Cache-Control" => "max-age=600" }.merge(headers))
  end

  def call(env)
    request = Rack::Request.new(env)
    case request.path_info
    when "/r", "/public/r", "/private/r" then resource
    when "/401", "/403", "/404", "/405", "/413" then answer(request.path_info[1..].to_i, "error")
    when "/500" then raise "the handler fails"
    when "/302" then answer(302, "", "Location" => ["/r", *request.query_string[/.+/]].join("?"))
    when "/304" then [304, { "X-App" => "corscheck", "ETag" => '"r"' }, []]
    when "/dup" then resource("Access-Control-Allow-Origin" => "https://handler.test")
    when "/opt" then answer(200, request.options? ? "own options" : "no options")
    when "/slow"
      sleep 0.3
      resource
    when "/img" then answer(200, PNG, "Content-Type" => "image/png")
    when "/get"
      request.get? || request.head? ? resource : [405, { "Content-Type" => "text/plain", "Allow" => "GET, HEAD" }, ["Method Not Allowed"]]
    else [404, { "Content-Type" => "text/plain" }, ["Not Found"]]
    end
  end
end
