"""Writes an nginx.conf with the CORS recipe for the policy, and becomes nginx."""
import base64
import json
import os
import re
import shutil

PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNgAAAAAgABSK+kcQAAAABJRU5ErkJggg=="

NGINX = """
worker_processes 1;
user root;
pid nginx.pid;
error_log stderr;
events {}
http {
    access_log off;
    client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi; scgi_temp_path scgi;
    include app.conf;
    map "$request_method,$http_origin,$http_access_control_request_method" $cors_preflight { default 0; "~^OPTIONS,.+,.+" 1; }
%(maps)s
    upstream app { server unix:app.sock; }
    server {
        listen %(host)s:%(port)s;
%(locations)s
    }
}
"""


def unsupported(words):
    raise SystemExit(print("corscheck: unsupported", words))


def recipe(n, policy):
    origins = policy["origins"] if isinstance(policy["origins"], list) else [policy["origins"]]
    anyone, credentials = "*" in origins, policy["credentials"]
    methods, headers, expose = (", ".join(policy[part]) for part in ("methods", "requestHeaders", "expose"))
    if anyone and credentials:
        unsupported("every origin with credentials: that is to reflect the origin of whoever asks")
    if credentials and expose == "*":
        unsupported("every response header with credentials: nginx has no list of them")
    if methods == "*" and credentials:
        methods = "$http_access_control_request_method"
    if headers == "*":
        headers = "$http_access_control_request_headers" if credentials else "*, Authorization"

    # map compares strings without regard to case, so that an origin is always a regular expression.
    patterns = [re.escape(origin).replace(r"\*", "[^/@]+") for origin in origins]
    maps = ['map $http_origin $cors_origin_%d { default "%s";' % (n, "*" if anyone else "")]
    maps += ['"~^%s$" $http_origin;' % pattern for pattern in patterns if not anyone]
    maps += ["}", 'map "$cors_preflight$cors_origin_%d" $cors_answer_%d { default ""; ~^1. preflight; ~^0. actual; }' % (n, n)]
    lines = ["if ($cors_preflight) { return 204; }", "add_header Access-Control-Allow-Origin $cors_origin_%d always;" % n]
    lines += ["add_header Vary Origin always;"] if origins and not anyone else []
    for header, answers, value in [
        ("Allow-Credentials", "actual|preflight", "true" if credentials else ""),
        ("Allow-Methods", "preflight", methods),
        ("Allow-Headers", "preflight", headers),
        ("Max-Age", "preflight", "" if policy["maxAge"] is None else policy["maxAge"]),
        ("Expose-Headers", "actual", expose),
    ]:
        # add_header with an empty value adds nothing.
        variable = "$cors_%s_%d" % (header.lower().replace("-", "_"), n)
        maps += ['map $cors_answer_%d %s { default ""; "~^(%s)$" "%s"; }' % (n, variable, answers, value)]
        lines += ["add_header Access-Control-%s %s always;" % (header, variable), "proxy_hide_header Access-Control-%s;" % header]
    return maps, [*lines, "proxy_hide_header Access-Control-Allow-Origin;"]


policy = json.loads(os.environ["CORSCHECK_POLICY"])
if policy.get("default"):
    unsupported("a default: a recipe has none")
maps, locations = [], {"/": []}
for n, rule in enumerate(policy.get("paths", [policy])):
    rule_maps, lines = recipe(n, rule)
    maps += rule_maps
    locations['~ "^%s(/|$)"' % re.escape(rule["path"]) if "path" in rule else "/"] = lines

os.chdir(os.environ["CORSCHECK_SCRATCH"])
shutil.copy(os.path.join(os.path.dirname(__file__), "app.conf"), ".")
with open("img.png", "wb") as file:
    file.write(base64.b64decode(PNG))
with open("nginx.conf", "w") as file:
    file.write(NGINX % {
        "host": os.environ["CORSCHECK_HOST"],
        "port": os.environ["CORSCHECK_PORT"],
        "maps": "\n".join(maps),
        "locations": "\n".join(
            "location %s {\n%s\n}" % (path, "\n".join([*lines, "proxy_pass http://app;"])) for path, lines in locations.items()
        ),
    })
os.execvp("nginx", ["nginx", "-e", "stderr", "-p", "./", "-c", "nginx.conf", "-g", "daemon off;"])
