"""Writes a configuration of Apache with the CORS recipe for the policy, and becomes Apache."""
import json
import os
import shutil

APACHE = """
LoadModule mpm_event_module /usr/lib/apache2/modules/mod_mpm_event.so
LoadModule authz_core_module /usr/lib/apache2/modules/mod_authz_core.so
LoadModule setenvif_module /usr/lib/apache2/modules/mod_setenvif.so
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
%(locations)s
"""


def recipe(policy):
    origins = policy["origins"] if isinstance(policy["origins"], list) else [policy["origins"]]
    lines = []
    if len(origins) == 1 and ("*" not in origins[0] or origins == ["*"] and not policy["credentials"]):
        lines += ['Header set Access-Control-Allow-Origin "%s"' % origins[0]]
    elif origins:
        # Also for every origin with credentials: with "*" the browsers say no.
        lines += ['SetEnvIf Origin "(%s)$" AccessControlAllowOrigin=$0' % "|".join(origins).replace("*", ".*")]
        lines += ["Header set Access-Control-Allow-Origin %{AccessControlAllowOrigin}e env=AccessControlAllowOrigin"]
    if policy["credentials"]:
        lines += ['Header set Access-Control-Allow-Credentials "true"']
    lines += ['Header set Access-Control-Allow-Methods "%s"' % ", ".join(policy["methods"])]
    lines += ['Header set Access-Control-Allow-Headers "%s"' % ", ".join(policy["requestHeaders"])]
    if policy["expose"]:
        lines += ['Header set Access-Control-Expose-Headers "%s"' % ", ".join(policy["expose"])]
    if policy["maxAge"] is not None:
        lines += ['Header set Access-Control-Max-Age "%d"' % policy["maxAge"]]
    return lines


policy = json.loads(os.environ["CORSCHECK_POLICY"])
if policy.get("default"):
    raise SystemExit(print("corscheck: unsupported a default: a recipe has none"))
rules = policy.get("paths", [dict(policy, path="/")])

scratch = os.environ["CORSCHECK_SCRATCH"]
shutil.copy(os.path.join(os.path.dirname(__file__), "app.lua"), scratch)
with open(os.path.join(scratch, "apache2.conf"), "w") as file:
    file.write(APACHE % {
        "host": os.environ["CORSCHECK_HOST"],
        "port": os.environ["CORSCHECK_PORT"],
        "scratch": scratch,
        "locations": "\n".join(
            '<Location "%s">\n%s\n</Location>' % (rule["path"], "\n".join(recipe(rule))) for rule in rules
        ),
    })
if os.geteuid() == 0:
    # Apache started by root reads the application as another user.
    shutil.chown(scratch, "www-data", "www-data")
os.execvp("apache2", ["apache2", "-d", scratch, "-f", "apache2.conf", "-DFOREGROUND"])
