import asyncio
import base64
import json
import os
import sys

import uvicorn
from litestar import Litestar, Request, Response, asgi, get, route
from litestar.config.cors import CORSConfig
from litestar.types import Receive, Scope, Send

METHODS = ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH"]
PNG = base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR42mNgAAAAAgAB5Sfe/AAAAABJRU5ErkJggg==")
OPTIONS = {
    "origins": "allow_origins", "credentials": "allow_credentials", "methods": "allow_methods",
    "requestHeaders": "allow_headers", "expose": "expose_headers", "maxAge": "max_age",
}

def answer(status, body=None, headers={}, type="text/plain"):
    return Response(body, status_code=status, headers={"X-App": "corscheck", **headers}, media_type=type)

def resource(headers={}):
    return answer(200, "resource", {"Vary": "Accept-Language", "X-Secret": "secret", "X-Other": "other",
                                    "ETag": '"r"', "Cache-Control": "max-age=600", **headers})

# An ASGI handler, for route() does not know PURGE.
@asgi(["/r", "/public/r", "/private/r"], copy_scope=True)
async def r(scope: Scope, receive: Receive, send: Send) -> None:
    await resource().to_asgi_response(app=None, request=Request(scope))(scope, receive, send)

@get("/get")
async def get_alone() -> Response:
    return resource()

@route(["/401", "/403", "/404", "/405", "/413"], http_method=METHODS)
async def error(request: Request) -> Response:
    return answer(int(request.url.path[1:]), "error")

@route("/500", http_method=METHODS)
async def fail() -> Response:
    raise RuntimeError("the handler fails")

@route("/302", http_method=METHODS)
async def found(request: Request) -> Response:
    return answer(302, headers={"Location": "/r?" + request.url.query if request.url.query else "/r"})

@get("/304")
async def not_modified() -> Response:
    return answer(304, headers={"ETag": '"r"'})

@get("/dup")
async def dup() -> Response:
    return resource({"Access-Control-Allow-Origin": "https://handler.test"})

@route("/opt", http_method=["GET", "OPTIONS"])
async def opt(request: Request) -> Response:
    return answer(200, "own options" if request.method == "OPTIONS" else "no options")

@get("/slow")
async def slow() -> Response:
    await asyncio.sleep(0.3)
    return resource()

@get("/img")
async def img() -> Response:
    return answer(200, PNG, type="image/png")

def say(*words):
    print("corscheck:", *words)
    sys.exit()

policy = json.loads(os.environ["CORSCHECK_POLICY"])
if "paths" in policy:
    say("unsupported a policy for each path")
try:
    cors = CORSConfig(**{name: policy[part] for part, name in OPTIONS.items() if policy.get(part) is not None})
    app = Litestar([r, get_alone, error, fail, found, not_modified, dup, opt, slow, img], cors_config=cors)
except Exception as refusal:
    say("refused", *str(refusal).split())
uvicorn.run(app, host=os.environ["CORSCHECK_HOST"], port=int(os.environ["CORSCHECK_PORT"]), log_level="warning")
