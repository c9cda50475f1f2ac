import base64
import json
import os
import re
import sys
import time

from flask import Flask, Response, request
from flask_cors import CORS
from waitress import serve

METHODS = ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "PURGE"]
PNG = base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR42mNgAAAAAgAB5Sfe/AAAAABJRU5ErkJggg==")
OPTIONS = {
    "origins": "origins", "credentials": "supports_credentials", "methods": "methods",
    "requestHeaders": "allow_headers", "expose": "expose_headers", "maxAge": "max_age",
}
app = Flask(__name__)

def answer(status, body="", headers={}, type="text/plain"):
    return Response(body, status, {"X-App": "corscheck", **headers}, content_type=type)

@app.route("/r", methods=METHODS)
@app.route("/public/r", methods=METHODS)
@app.route("/private/r", methods=METHODS)
@app.get("/get")
def resource(headers={}):
    return answer(200, "resource", {"Vary": "Accept-Language", "X-Secret": "secret", "X-Other": "other",
                                    "ETag": '"r"', "Cache-Control": "max-age=600", **headers})

@app.route("/<any('401', '403', '404', '405', '413'):status>", methods=METHODS)
def error(status):
    return answer(int(status), "error")

@app.route("/500", methods=METHODS)
def fail():
    raise RuntimeError("the handler fails")

@app.route("/302", methods=METHODS)
def found():
    query = request.query_string.decode()
    return answer(302, headers={"Location": "/r?" + query if query else "/r"})

@app.get("/304")
def not_modified():
    return answer(304, headers={"ETag": '"r"'})

@app.get("/dup")
def dup():
    return resource({"Access-Control-Allow-Origin": "https://handler.test"})

@app.route("/opt", methods=["GET", "OPTIONS"])
def opt():
    return answer(200, "own options" if request.method == "OPTIONS" else "no options")

@app.get("/slow")
def slow():
    time.sleep(0.3)
    return resource()

@app.get("/img")
def img():
    return answer(200, PNG, type="image/png")

def say(*words):
    print("corscheck:", *words)
    sys.exit()

# "The origin(s) may be regular expressions, case-sensitive strings, or else an asterisk."
def pattern(origin):
    return re.escape(origin).replace(r"\*", ".+") if "*" in origin and origin != "*" else origin

def options(policy):
    given = {name: policy[part] for part, name in OPTIONS.items() if policy.get(part) is not None}
    if isinstance(given.get("origins"), list):
        given["origins"] = [pattern(origin) for origin in given["origins"]]
    if "*" in given.get("methods", []):
        say("unsupported any method")
    return given

policy = json.loads(os.environ["CORSCHECK_POLICY"])
try:
    if "paths" in policy:
        CORS(app, resources={rule["path"] + "/*": options(rule) for rule in policy["paths"]})
    else:
        CORS(app, **options(policy))
except Exception as refusal:
    say("refused", *str(refusal).split())
serve(app, host=os.environ["CORSCHECK_HOST"], port=int(os.environ["CORSCHECK_PORT"]), threads=16)
