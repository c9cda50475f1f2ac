require "apache2"

local resource = { ["/r"] = true, ["/dup"] = true, ["/slow"] = true, ["/get"] = true, ["/public/r"] = true, ["/private/r"] = true }
local png = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNgAAAAAgABSK+kcQAAAABJRU5ErkJggg=="

local function answer(r, status, body)
    r.headers_out["X-App"] = "corscheck"
    r.status = status
    r.content_type = "text/plain"
    r:write(body)
    return apache2.OK
end

function handle(r)
    local error_status = r.uri:match("^/(4%d%d)$")
    if resource[r.uri] then
        if r.uri == "/get" and r.method ~= "GET" and r.method ~= "HEAD" then return 405 end
        if r.uri == "/slow" then r.usleep(300000) end
        if r.uri == "/dup" then r.headers_out["Access-Control-Allow-Origin"] = "https://handler.test" end
        r.headers_out["Vary"] = "Accept-Language"
        r.headers_out["X-Secret"] = "secret"
        r.headers_out["X-Other"] = "other"
        r.headers_out["ETag"] = '"r"'
        r.headers_out["Cache-Control"] = "max-age=600"
        return answer(r, 200, "resource")
    elseif error_status and ("401 403 404 405 413"):find(error_status) then
        return answer(r, tonumber(error_status), "error")
    elseif r.uri == "/500" then
        error("the handler fails")
    elseif r.uri == "/302" then
        r.headers_out["Location"] = "/r" .. (r.args and "?" .. r.args or "")
        return answer(r, 302, "")
    elseif r.uri == "/304" then
        r.headers_out["ETag"] = '"r"'
        return answer(r, 304, "")
    elseif r.uri == "/opt" then
        return answer(r, 200, r.method == "OPTIONS" and "own options" or "no options")
    elseif r.uri == "/img" then
        r.headers_out["X-App"] = "corscheck"
        r.content_type = "image/png"
        r:write(r:base64_decode(png))
        return apache2.OK
    end
    return 404
end
