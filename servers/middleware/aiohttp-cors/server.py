import asyncio
import base64
import json
import os
import sys

import aiohttp_cors
from aiohttp import web

METHODS = ["GET", "POST", "PUT", "DELETE", "PATCH", "PURGE"]  # GET brings HEAD
PNG = base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR42mNgAAAAAgAB5Sfe/AAAAABJRU5ErkJggg==")
OPTIONS = {
    "credentials": "allow_credentials", "methods": "allow_methods", "requestHeaders": "allow_headers",
    "expose": "expose_headers", "maxAge": "max_age",
}

def answer(status, body=b"", headers={}, type="text/plain"):
    return web.Response(status=status, body=body, headers={"X-App": "corscheck", **headers}, content_type=type)

async def resource(request, headers={}):
    return answer(200, b"resource", {"Vary": "Accept-Language", "X-Secret": "secret", "X-Other": "other",
                                     "ETag": '"r"', "Cache-Control": "max-age=600", **headers})

async def error(request):
    return answer(int(request.path[1:]), b"error")

async def fail(request):
    raise RuntimeError("the handler fails")

async def found(request):
    return answer(302, headers={"Location": "/r?" + request.query_string if request.query_string else "/r"})

async def not_modified(request):
    return answer(304, headers={"ETag": '"r"'})

async def dup(request):
    return await resource(request, {"Access-Control-Allow-Origin": "https://handler.test"})

async def opt(request):
    return answer(200, b"own options" if request.method == "OPTIONS" else b"no options")

async def slow(request):
    await asyncio.sleep(0.3)
    return await resource(request)

async def img(request):
    return answer(200, PNG, type="image/png")

def say(*words):
    print("corscheck:", *words)
    sys.exit()

def config(policy):
    given = {name: policy[part] for part, name in OPTIONS.items() if policy.get(part) is not None}
    given = {name: "*" if value == ["*"] else value for name, value in given.items()}
    origins = policy.get("origins", [])
    if isinstance(origins, str):
        say("unsupported origins as one string: they are the keys of a mapping")
    if any("*" in origin and origin != "*" for origin in origins):
        say("unsupported patterns of origins")
    return {origin: aiohttp_cors.ResourceOptions(**given) for origin in origins}

app = web.Application()
routes = dict.fromkeys(["/r", "/public/r", "/private/r"], resource)
routes |= dict.fromkeys(["/401", "/403", "/404", "/405", "/413"], error) | {"/500": fail, "/302": found}
app.add_routes(web.route(method, path, handler) for path, handler in routes.items() for method in METHODS)
reads = {"/304": not_modified, "/dup": dup, "/slow": slow, "/img": img, "/get": resource}
app.add_routes(web.get(path, handler) for path, handler in reads.items())
policy = json.loads(os.environ["CORSCHECK_POLICY"])
try:
    if "paths" in policy:
        cors = aiohttp_cors.setup(app)
        for rule in policy["paths"]:
            for below in [r for r in app.router.resources() if r.canonical.startswith(rule["path"] + "/")]:
                cors.add(below, config(rule))
    else:
        cors = aiohttp_cors.setup(app, defaults=config(policy))
        for every in app.router.resources():
            cors.add(every)
except Exception as refusal:
    say("refused", *str(refusal).split())
# It takes no resource that has a handler for OPTIONS: this one stays without CORS.
app.add_routes([web.get("/opt", opt), web.options("/opt", opt)])
web.run_app(app, host=os.environ["CORSCHECK_HOST"], port=int(os.environ["CORSCHECK_PORT"]),
            print=None, access_log=None, shutdown_timeout=1)
