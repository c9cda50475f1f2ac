"""Writes a configuration of Apache with the CORS recipe for the policy, and becomes Apache."""
import json
import os
import re
import shutil

APACHE = """
LoadModule mpm_event_module /usr/lib/apache2/modules/mod_mpm_event.so
LoadModule authz_core_module /usr/lib/apache2/modules/mod_authz_core.so
LoadModule rewrite_module /usr/lib/apache2/modules/mod_rewrite.so
LoadModule headers_module /usr/lib/apache2/modules/mod_headers.so
LoadModule lua_module /usr/lib/apache2/modules/mod_lua.so
Listen %(host)s:%(port)s
ServerName %(host)s
User www-data
Group www-data
StartServers 1
ServerLimit 1
ThreadsPerChild 64
MaxRequestWorkers 64
DefaultRuntimeDir %(scratch)s
PidFile apache2.pid
ErrorLog error.log
LuaMapHandler ^/ %(scratch)s/app.lua handle
RewriteEngine On
RewriteCond %%{REQUEST_METHOD} =OPTIONS
RewriteCond %%{HTTP:Origin} . [NV]
RewriteCond %%{HTTP:Access-Control-Request-Method} . [NV]
RewriteRule "^(%(paths)s)(/|$)" - [E=CORS_PREFLIGHT:1,R=204,L]
%(locations)s
"""


def unsupported(words):
    raise SystemExit(print("corscheck: unsupported", words))


def recipe(policy):
    origins = policy["origins"] if isinstance(policy["origins"], list) else [policy["origins"]]
    anyone, credentials = "*" in origins, policy["credentials"]
    if anyone and credentials:
        unsupported("every origin with credentials: that is to reflect the origin of whoever asks")
    if credentials and policy["expose"] == ["*"]:
        unsupported("every response header with credentials: Apache has no list of them")
    value = {part: ", ".join(policy[part]) for part in ("methods", "requestHeaders", "expose")}
    if credentials and value["methods"] == "*":
        value["methods"] = "expr=%{req_novary:Access-Control-Request-Method}"
    if value["requestHeaders"] == "*":
        value["requestHeaders"] = "expr=%{req_novary:Access-Control-Request-Headers}" if credentials else "*, Authorization"

    patterns = [re.escape(origin).replace(r"\*", "[^/@]+") for origin in origins]
    allowed = "true" if anyone else "req_novary('Origin') =~ m#^(%s)$#" % "|".join(patterns) if origins else "false"
    preflight = "-n reqenv('CORS_PREFLIGHT') && " + allowed
    actual = "-z reqenv('CORS_PREFLIGHT') && " + allowed
    lines = ["Header always merge Vary Origin"] if origins and not anyone else []
    for header, text, condition in [
        ("Allow-Origin", "*" if anyone else "expr=%{req_novary:Origin}", allowed),
        ("Allow-Credentials", "true" if credentials else "", allowed),
        ("Allow-Methods", value["methods"], preflight),
        ("Allow-Headers", value["requestHeaders"], preflight + " && -n req_novary('Access-Control-Request-Headers')"),
        ("Max-Age", "" if policy["maxAge"] is None else str(policy["maxAge"]), preflight),
        ("Expose-Headers", value["expose"], actual),
    ]:
        # "always" is a table beside the one that the application writes to: without unset there would be two.
        lines += ["Header onsuccess unset Access-Control-%s" % header]
        lines += ['Header always set Access-Control-%s "%s" "expr=%s"' % (header, text, condition)] if text else []
    return lines


policy = json.loads(os.environ["CORSCHECK_POLICY"])
if policy.get("default"):
    unsupported("a default: a recipe has none")
rules = policy.get("paths", [dict(policy, path="/")])

scratch = os.environ["CORSCHECK_SCRATCH"]
shutil.copy(os.path.join(os.path.dirname(__file__), "app.lua"), scratch)
with open(os.path.join(scratch, "apache2.conf"), "w") as file:
    file.write(APACHE % {
        "host": os.environ["CORSCHECK_HOST"],
        "port": os.environ["CORSCHECK_PORT"],
        "scratch": scratch,
        "paths": "|".join(re.escape(rule["path"]) for rule in rules) if "paths" in policy else "",
        "locations": "\n".join(
            '<Location "%s">\n%s\n</Location>' % (rule["path"], "\n".join(recipe(rule))) for rule in rules
        ),
    })
if os.geteuid() == 0:
    # Apache started by root reads the application as another user.
    shutil.chown(scratch, "www-data", "www-data")
os.execvp("apache2", ["apache2", "-d", scratch, "-f", "apache2.conf", "-DFOREGROUND"])
