"""Writes an nginx.conf with the CORS recipe for the policy, and becomes nginx."""
import base64
import json
import os
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
    upstream app { server unix:app.sock; }
    server {
        listen %(host)s:%(port)s;
%(locations)s
    }
}
"""


def recipe(policy):
    origins = policy["origins"] if isinstance(policy["origins"], list) else [policy["origins"]]
    lines, preflight = [], []
    if origins == ["*"] and policy["credentials"]:
        # With '*' the browsers say no, so everybody who wants this writes:
        allowed = "$http_origin"
    elif len(origins) == 1 and (origins == ["*"] or "*" not in origins[0]):
        allowed = "'%s'" % origins[0]
    else:
        allowed = "$cors_origin"
        lines += ["set $cors_origin '';"]
        if origins:
            lines += ['if ($http_origin ~* "(%s)") { set $cors_origin $http_origin; }' % "|".join(origins).replace("*", ".*")]

    headers = ["add_header 'Access-Control-Allow-Origin' %s;" % allowed]
    if policy["credentials"]:
        headers += ["add_header 'Access-Control-Allow-Credentials' 'true';"]
    headers += ["add_header 'Access-Control-Allow-Methods' '%s';" % ", ".join(policy["methods"])]
    headers += ["add_header 'Access-Control-Allow-Headers' '%s';" % ",".join(policy["requestHeaders"])]
    if policy["expose"]:
        headers += ["add_header 'Access-Control-Expose-Headers' '%s';" % ",".join(policy["expose"])]
    if policy["maxAge"] is not None:
        preflight += ["add_header 'Access-Control-Max-Age' %d;" % policy["maxAge"]]
    preflight += ["add_header 'Content-Type' 'text/plain; charset=utf-8';", "add_header 'Content-Length' 0;"]
    return [*lines, "if ($request_method = 'OPTIONS') {", *headers, *preflight, "return 204;", "}", *headers]


policy = json.loads(os.environ["CORSCHECK_POLICY"])
if policy.get("default"):
    raise SystemExit(print("corscheck: unsupported a default: a recipe has none"))
locations = {rule["path"]: recipe(rule) for rule in policy["paths"]} if "paths" in policy else {"/": recipe(policy)}
locations.setdefault("/", [])

os.chdir(os.environ["CORSCHECK_SCRATCH"])
shutil.copy(os.path.join(os.path.dirname(__file__), "app.conf"), ".")
with open("img.png", "wb") as file:
    file.write(base64.b64decode(PNG))
with open("nginx.conf", "w") as file:
    file.write(NGINX % {
        "host": os.environ["CORSCHECK_HOST"],
        "port": os.environ["CORSCHECK_PORT"],
        "locations": "\n".join(
            "location %s {\n%s\n}" % (path, "\n".join([*lines, "proxy_pass http://app;"])) for path, lines in locations.items()
        ),
    })
os.execvp("nginx", ["nginx", "-e", "stderr", "-p", "./", "-c", "nginx.conf", "-g", "daemon off;"])
