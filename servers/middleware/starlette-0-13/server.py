import asyncio
import base64
import json
import os
import re
import sys

import uvicorn
from starlette.applications import Starlette
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import Response
from starlette.routing import Mount, Route, Router

METHODS = ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "PURGE"]
PNG = base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR42mNgAAAAAgAB5Sfe/AAAAABJRU5ErkJggg==")
OPTIONS = {
    "origins": "allow_origins", "credentials": "allow_credentials", "methods": "allow_methods",
    "requestHeaders": "allow_headers", "expose": "expose_headers", "maxAge": "max_age",
}

def answer(status, body="", headers={}, type="text/plain"):
    return Response(body, status, {"X-App": "corscheck", **headers}, type)

async def resource(request, headers={}):
    return answer(200, "resource", {"Vary": "Accept-Language", "X-Secret": "secret", "X-Other": "other",
                                    "ETag": '"r"', "Cache-Control": "max-age=600", **headers})

async def error(request):
    return answer(int(request.url.path[1:]), "error")

async def fail(request):
    raise RuntimeError("the handler fails")

async def found(request):
    return answer(302, headers={"Location": "/r?" + request.url.query if request.url.query else "/r"})

async def not_modified(request):
    return answer(304, headers={"ETag": '"r"'})

async def dup(request):
    return await resource(request, {"Access-Control-Allow-Origin": "https://handler.test"})

async def opt(request):
    return answer(200, "own options" if request.method == "OPTIONS" else "no options")

async def slow(request):
    await asyncio.sleep(0.3)
    return await resource(request)

async def img(request):
    return answer(200, PNG, type="image/png")

def say(*words):
    print("corscheck:", *words)
    sys.exit()

def options(policy):
    given = {name: policy[part] for part, name in OPTIONS.items() if policy.get(part) is not None}
    if isinstance(given.get("allow_origins"), list):
        patterns = [origin for origin in given["allow_origins"] if "*" in origin and origin != "*"]
        if patterns:
            given["allow_origins"] = [origin for origin in given["allow_origins"] if origin not in patterns]
            given["allow_origin_regex"] = "|".join(re.escape(p).replace(r"\*", ".+") for p in patterns)
    return given

routes = [Route(path, resource, methods=METHODS) for path in ["/r", "/public/r", "/private/r"]]
routes += [Route(path, error, methods=METHODS) for path in ["/401", "/403", "/404", "/405", "/413"]]
routes += [
    Route("/500", fail, methods=METHODS), Route("/302", found, methods=METHODS), Route("/304", not_modified),
    Route("/dup", dup), Route("/opt", opt, methods=["GET", "OPTIONS"]), Route("/slow", slow), Route("/img", img),
    Route("/get", resource),
]
policy = json.loads(os.environ["CORSCHECK_POLICY"])
try:
    if "paths" in policy:
        below = Router(routes=[Route("/r", resource, methods=METHODS)])
        mounts = [Mount(rule["path"], CORSMiddleware(below, **options(rule))) for rule in policy["paths"]]
        app = Starlette(routes=mounts + routes)
    else:
        app = CORSMiddleware(Starlette(routes=routes), **options(policy))
except Exception as refusal:
    say("refused", *str(refusal).split())
uvicorn.run(app, host=os.environ["CORSCHECK_HOST"], port=int(os.environ["CORSCHECK_PORT"]), log_level="warning")
