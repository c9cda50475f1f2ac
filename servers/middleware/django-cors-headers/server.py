import base64
import json
import os
import re
import sys
import time

from django.conf import settings
from django.core.checks import run_checks
from django.core.wsgi import get_wsgi_application
from django.http import HttpResponse
from django.urls import path, re_path
from django.views.decorators.http import require_GET
from waitress import serve

PNG = base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR42mNgAAAAAgAB5Sfe/AAAAABJRU5ErkJggg==")
OPTIONS = {
    "origins": "CORS_ALLOWED_ORIGINS", "credentials": "CORS_ALLOW_CREDENTIALS", "methods": "CORS_ALLOW_METHODS",
    "requestHeaders": "CORS_ALLOW_HEADERS", "expose": "CORS_EXPOSE_HEADERS", "maxAge": "CORS_PREFLIGHT_MAX_AGE",
}

def answer(status, body="", headers={}, type="text/plain"):
    return HttpResponse(body, type, status, headers={"X-App": "corscheck", **headers})

def resource(request, headers={}):
    return answer(200, "resource", {"Vary": "Accept-Language", "X-Secret": "secret", "X-Other": "other",
                                    "ETag": '"r"', "Cache-Control": "max-age=600", **headers})

def error(request, status):
    return answer(int(status), "error")

def fail(request):
    raise RuntimeError("the handler fails")

def found(request):
    query = request.META["QUERY_STRING"]
    return answer(302, headers={"Location": "/r?" + query if query else "/r"})

def not_modified(request):
    return answer(304, headers={"ETag": '"r"'})

def dup(request):
    return resource(request, {"Access-Control-Allow-Origin": "https://handler.test"})

def opt(request):
    return answer(200, "own options" if request.method == "OPTIONS" else "no options")

def slow(request):
    time.sleep(0.3)
    return resource(request)

def img(request):
    return answer(200, PNG, type="image/png")

urlpatterns = [
    path("r", resource), path("public/r", resource), path("private/r", resource), path("get", require_GET(resource)),
    re_path("^(401|403|404|405|413)$", error), path("500", fail), path("302", found), path("304", not_modified),
    path("dup", dup), path("opt", opt), path("slow", slow), path("img", img),
]

def say(*words):
    print("corscheck:", *words)
    sys.exit()

def options(policy):
    given = {name: policy[part] for part, name in OPTIONS.items() if policy.get(part) is not None}
    origins = given.get("CORS_ALLOWED_ORIGINS")
    if origins == ["*"]:
        del given["CORS_ALLOWED_ORIGINS"]
        given["CORS_ALLOW_ALL_ORIGINS"] = True
    elif isinstance(origins, list):
        patterns = [origin for origin in origins if "*" in origin and origin != "*"]
        given["CORS_ALLOWED_ORIGINS"] = [origin for origin in origins if origin not in patterns]
        given["CORS_ALLOWED_ORIGIN_REGEXES"] = ["^" + re.escape(p).replace(r"\*", ".+") + "$" for p in patterns]
    return given

policy = json.loads(os.environ["CORSCHECK_POLICY"])
if "paths" in policy:
    say("unsupported a policy for each path")
settings.configure(
    ALLOWED_HOSTS=["*"], SECRET_KEY="corscheck", ROOT_URLCONF=__name__, INSTALLED_APPS=["corsheaders"],
    MIDDLEWARE=["corsheaders.middleware.CorsMiddleware", "django.middleware.common.CommonMiddleware"],
    **options(policy),
)
app = get_wsgi_application()
errors = run_checks()  # as manage.py does before it starts a server
if errors:
    say("refused", errors[0].msg)
serve(app, host=os.environ["CORSCHECK_HOST"], port=int(os.environ["CORSCHECK_PORT"]), threads=16)
