"""Texts as programs leave them when something fails, each with its cause; None: none of the five.

Each set was written before the recognisers were tried on it, and after they had been corrected by
the sets before it. Only a first try estimates anything, and this is what they came to:

FIRST  precision 0.97 (61 of 63)  recall 0.95 (61 of 64)
LATER  precision 0.91 (29 of 32)  recall 0.71 (29 of 41)
LAST   precision 0.88 (23 of 26)  recall 0.66 (23 of 35)

The table was then corrected by all three, so that today's score on them says only that nothing got
worse. One author wrote texts and table: of other programs' texts less may be recognised.
"""

ENV, NEEDS, NET, MAY, SCRIPT = (
    "environment variables",
    "dependency conflicts",
    "network",
    "permissions",
    "script errors",
)

FIRST: tuple[tuple[str, str | None], ...] = (
    (
        'BadRelease: storefront@2026.11.28.2 is FATAL:   File "<frozen os>", line 679, in'
        " __getitem__\n    raise KeyError(key) from None\nKeyError: 'MARKETS'",
        ENV,
    ),
    (
        "Traceback (most recent call last):\n"
        '  File "/app/settings.py", line 9, in <module>\n'
        "    KEY = os.environ['PAYMENT_KEY']\nKeyError: 'PAYMENT_KEY'",
        ENV,
    ),
    ("decouple.UndefinedValueError: SECRET_KEY not found. Declare it as envvar", ENV),
    (
        "django.core.exceptions.ImproperlyConfigured: Set the DATABASE_URL environment variable",
        ENV,
    ),
    ("Error: Missing required environment variable: STRIPE_API_KEY", ENV),
    ("./start.sh: line 12: REDIS_URL: unbound variable", ENV),
    ("sh: 3: API_TOKEN: parameter not set", ENV),
    ("panic: environment variable AMQP_URL is not set", ENV),
    ("BadInput: ${env:PAYPAL_SECRET} is not set in the environment", ENV),
    ("BadInput: ${file:secrets/paypal}: no such file", ENV),
    (
        "pydantic_core._pydantic_core.ValidationError: 1 validation error for Settings\n"
        "DATABASE_URL\n  Field required [type=missing, input_value={}, input_type=dict]",
        ENV,
    ),
    ("The SECRET_KEY setting must not be empty.", ENV),
    ("Error: supabaseUrl is required. NEXT_PUBLIC_SUPABASE_URL is not defined", ENV),
    ("storefront.errors.Unconfigured: MARKETPLACE_ID must be set", ENV),
    (
        "ERROR: Cannot install -r requirements.lock (line 3) and urllib3==2.2.1 because these"
        " package versions have conflicting dependencies.\n"
        "ERROR: ResolutionImpossible: for help visit the documentation",
        NEEDS,
    ),
    (
        "  × No solution found when resolving dependencies:\n"
        "  ╰─▶ Because only httpx<=0.28.1 is available and you require httpx>=9, we can conclude"
        " that your requirements are unsatisfiable.",
        NEEDS,
    ),
    (
        "ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE.\n"
        "    Expected sha256 ab12\n         Got        cd34",
        NEEDS,
    ),
    ("error: Failed to download `idna==3.7`\n  Caused by: Hash mismatch for `idna==3.7`", NEEDS),
    (
        "Traceback (most recent call last):\n"
        '  File "/srv/app/storefront/__main__.py", line 6, in <module>\n'
        "    import stripe\nModuleNotFoundError: No module named 'stripe'",
        NEEDS,
    ),
    (
        "ImportError: cannot import name 'soft_unicode' from 'markupsafe'"
        " (/site/markupsafe/__init__.py)",
        NEEDS,
    ),
    ("python: No module named storefront.worker", NEEDS),
    ("ERROR: No matching distribution found for psycopg==99.1", NEEDS),
    (
        "pkg_resources.VersionConflict: (urllib3 2.2.1 (/site), Requirement.parse('urllib3<2'))",
        NEEDS,
    ),
    (
        "botocore 1.29.0 requires urllib3<1.27,>=1.25.4, but you have urllib3 2.2.1 which is"
        " incompatible.",
        NEEDS,
    ),
    ("npm ERR! code ERESOLVE\nnpm ERR! ERESOLVE unable to resolve dependency tree", NEEDS),
    (
        "ImportError: libpq.so.5: cannot open shared object file: No such file or directory",
        NEEDS,
    ),
    ("importlib.metadata.PackageNotFoundError: No package metadata was found for celery", NEEDS),
    (
        "pip._vendor.urllib3.exceptions.NewConnectionError: Failed to establish a new connection:"
        " [Errno 111] Connection refused\n"
        "ERROR: Could not find a version that satisfies the requirement idna==3.7\n"
        "ERROR: No matching distribution found for idna==3.7",
        NET,
    ),
    (
        'psycopg.OperationalError: connection failed: connection to server at "10.0.0.5", port'
        " 5432 failed: Connection refused",
        NET,
    ),
    ("socket.gaierror: [Errno -2] Name or service not known", NET),
    (
        "Unavailable: production-2 does not answer: [Errno 113] No route to host",
        NET,
    ),
    (
        "requests.exceptions.SSLError: HTTPSConnectionPool(host='api.example.com', port=443):"
        " CERTIFICATE_VERIFY_FAILED: certificate has expired",
        NET,
    ),
    ("httpx.ConnectTimeout: timed out", NET),
    ("curl: (6) Could not resolve host: registry.example.com", NET),
    (
        "error: failed to fetch `idna`\n  Caused by: HTTP status server error (503 Service"
        " Unavailable) for url",
        NET,
    ),
    ("Error: connect ECONNREFUSED 127.0.0.1:6379", NET),
    (
        "Error response from daemon: Get https://registry.example.com/v2/: net/http: TLS handshake"
        " timeout",
        NET,
    ),
    ("ConnectionResetError: [Errno 104] Connection reset by peer", NET),
    ("502 Server Error: Bad Gateway for url: https://registry.example.com/v2/shop", NET),
    (
        "fatal: unable to access 'https://git.example.com/shop.git/': Failed to connect to"
        " git.example.com port 443: Connection timed out",
        NET,
    ),
    ("PermissionError: [Errno 13] Permission denied: '/var/lib/shop/cache'", MAY),
    ("Error: EACCES: permission denied, open '/etc/shop/config.json'", MAY),
    ("psycopg.errors.InsufficientPrivilege: permission denied for table orders", MAY),
    ("ERROR:  must be owner of table products", MAY),
    (
        "permission denied while trying to connect to the Docker daemon socket at"
        " unix:///var/run/docker.sock",
        MAY,
    ),
    ("403 Client Error: Forbidden for url: https://registry.example.com/v2/shop/blobs", MAY),
    ('FATAL:  password authentication failed for user "shop"', MAY),
    ("tradewind@production-1: Permission denied (publickey).", MAY),
    ("denied: requested access to the resource is denied", MAY),
    ("Failed: amazon-us answered 403: Access to requested resource is denied.", MAY),
    ("OSError: [Errno 1] Operation not permitted: '/proc/sys/net'", MAY),
    (
        '  File "/app/storefront/checkout.py", line 40\n    def pay(:\n            ^\n'
        "SyntaxError: invalid syntax",
        SCRIPT,
    ),
    ("deploy.sh: line 14: syntax error near unexpected token `fi'", SCRIPT),
    ("/bin/sh: 1: gunicron: not found", SCRIPT),
    (
        "E       assert 3 == 2\nFAILED storefront/tests/test_checkout.py::test_total\n"
        "1 failed, 12 passed in 0.41s",
        SCRIPT,
    ),
    (
        "Traceback (most recent call last):\n"
        '  File "/app/order_sync/imports.py", line 20, in parsed\n'
        "    total = order['total']\nKeyError: 'total'",
        SCRIPT,
    ),
    (
        "Traceback (most recent call last):\n"
        '  File "/app/prices.py", line 8, in of\n'
        "    rate = RATES[currency]\nKeyError: 'USD'",
        SCRIPT,
    ),
    ("ZeroDivisionError: division by zero", SCRIPT),
    ("storefront: the test command ended with 1; storefront: 1 of 9 tests failed", SCRIPT),
    ("subprocess.CalledProcessError: Command '['make']' returned non-zero exit status 2.", SCRIPT),
    ("NameError: name 'RETRIES' is not defined", SCRIPT),
    ("ReferenceError: CHECKOUT_URL is not defined\n    at Object.<anonymous>", SCRIPT),
    ("storefront: the tests hung: ended after 300.0 s, limit 300 s", SCRIPT),
    ("storefront: coverage is 41.20 % against 50.00 %", SCRIPT),
    ("checkout failures 9.00 % against 0.50 %", None),
    ("amazon-us: INV-01 fail: 14 SKUs drift, tolerated are 2", None),
    ("rejected by Bo: not on Black Friday", None),
    ("2026.11.27.3 would overtake 2026.11.28.1, which already passed in production", None),
    ("production is held by Ann: incident in Singapore", None),
    ("not enough requests: 12 of at least 50", None),
    ("0 errors in 512 requests, as many as in the baseline", None),
    ("12 passed in 1.20s", None),
    ("storefront@2026.11.28.2 is healthy on /health: not within 30 s", None),
    ("disk is full: 0.2 GB of 40.0 GB are free, 1.0 GB are needed", None),
)

LATER: tuple[tuple[str, str | None], ...] = (
    ("KeyError: 'AWS_REGION'", ENV),
    ("Error: The environment variable `SENTRY_DSN` is required but was not provided", ENV),
    ("config error: DATABASE_URL environment variable not found", ENV),
    ("ValueError: Environment variable BROKER_URL has not been set", ENV),
    ("fatal: SHOP_REGION is undefined", ENV),
    ("${vault:secret/shop#stripe} is missing", ENV),
    ("thread 'main' panicked at src/main.rs:9: DATABASE_URL must be set: NotPresent", ENV),
    ("Exception in thread main: java.lang.IllegalStateException: API_KEY is empty", ENV),
    ("ERROR: pip's dependency resolver found that celery 5.3 depends on kombu<6", NEEDS),
    ("The conflict is caused by:\n    The user requested numpy==2.0", NEEDS),
    ("AttributeError: module 'collections' has no attribute 'Mapping'", SCRIPT),
    ("Error: Cannot find module 'express'\nRequire stack:\n- /app/server.js", NEEDS),
    ("error: Failed to build `psycopg2==2.9`\n  pg_config executable not found", NEEDS),
    ("hash mismatch for requests-2.32.3-py3-none-any.whl", NEEDS),
    ("from celery import Celery\nModuleNotFoundError: No module named 'kombu.utils'", NEEDS),
    ("version `GLIBC_2.36' not found (required by /site/lib.so)", NEEDS),
    ("ERROR: Could not install packages due to incompatible versions", NEEDS),
    ("dial tcp: lookup registry.example.com: no such host", NET),
    ("urllib3.exceptions.MaxRetryError: Max retries exceeded with url: /simple/idna/", NET),
    ("psycopg.errors.ConnectionTimeout: connection timeout expired", NET),
    ("redis.exceptions.ConnectionError: Error 111 connecting to redis:6379.", NET),
    ("x509: certificate signed by unknown authority", NET),
    ("Unavailable: production-1: nothing was answered within 60 s", NET),
    ("504 Gateway Time-out", NET),
    ("ssh: connect to host production-1 port 22: Network is unreachable", NET),
    ("http.client.RemoteDisconnected: Remote end closed connection without response", NET),
    ("mkdir: cannot create directory '/var/lib/shop': Permission denied", MAY),
    ("unauthorized: authentication required", MAY),
    ("psycopg.errors.InsufficientPrivilege: must be superuser to create this extension", MAY),
    ("dial unix /var/run/docker.sock: connect: permission denied", MAY),
    ('FATAL:  role "shop" is not permitted to log in', MAY),
    ("remote: HTTP Basic: Access denied", MAY),
    ("Got permission denied: EPERM: operation not permitted, unlink '/srv/app'", MAY),
    ("bash: line 1: flask: command not found", SCRIPT),
    ("make: *** [Makefile:12: test] Error 2", SCRIPT),
    ("TypeError: unsupported operand type(s) for +: 'int' and 'str'", SCRIPT),
    ("order-sync: the test command ended with 2", SCRIPT),
    ("AssertionError: expected 200, got 500", SCRIPT),
    ("Process exited with code 137", SCRIPT),
    ("ERROR storefront/tests/test_pages.py - IndentationError: unexpected indent", SCRIPT),
    ("storefront: no test was executed, at least 1 must be", SCRIPT),
    ("candidate 2.50 % slow requests against 0.40 % of the baseline", None),
    ("approval 7 expired at 11:30:00 UTC", None),
    ("SKU TEA-001 is 4 here and 9 on ebay-us", None),
    ("sha256:ab12cd34 is quarantined: 2026.11.27.2: checkout failures 9 %", None),
    ("restored: checkout failures 2.00 % against 0.50 %", None),
    ("Black Friday in US holds up releases until 2026-12-01", None),
    ("48 tests passed, 0 failed", None),
    ("coverage is 84.00 % of lines, at least 50.00 %", None),
    ("finished with exit code 0", None),
)

LAST: tuple[tuple[str, str | None], ...] = (
    ("os.getenv returned None: STOREFRONT_SECRET is not configured", ENV),
    ("Error: env var JWT_SECRET is required", ENV),
    ("KeyError: 'SHOPIFY_TOKEN'", ENV),
    ('docker: variable is not set. Defaulting to blank: "POSTGRES_PASSWORD"', ENV),
    ("RuntimeError: please define the GATEWAY_KEY environment variable", ENV),
    ("missing environment variables: MAIL_HOST, MAIL_USER", ENV),
    ("ImportError: attempted relative import with no known parent package", NEEDS),
    ("ModuleNotFoundError: No module named 'yaml'", NEEDS),
    ("ERROR: Package 'shop' requires a different Python: 3.9.2 not in '>=3.11'", NEEDS),
    ("ERROR: Hashes are required in --require-hashes mode, but they are missing", NEEDS),
    ("poetry: Because shop depends on attrs (^22) and black, version solving failed.", NEEDS),
    ("error: Distribution `idna==3.7` can't be installed: no compatible wheel", NEEDS),
    ("ImportError: /site/_psycopg.so: undefined symbol: PQconninfo", NEEDS),
    ("OSError: [Errno 101] Network is unreachable", NET),
    ("ssl.SSLCertVerificationError: certificate verify failed: self-signed certificate", NET),
    ("Read timed out. (read timeout=15)", NET),
    ("psycopg.OperationalError: server closed the connection unexpectedly", NET),
    ("dial tcp 10.0.0.9:5000: i/o timeout", NET),
    ("503 Service Unavailable from https://registry.example.com", NET),
    ("kombu.exceptions.OperationalError: [Errno 111] Connection refused", NET),
    ('could not translate host name "db" to address: Name does not resolve', NET),
    ("sudo: a password is required", MAY),
    ("open /srv/shop/key.pem: permission denied", MAY),
    ("HTTP 403 from https://api.example.com/orders", MAY),
    ("psycopg.errors.InsufficientPrivilege: permission denied for schema public", MAY),
    ("botocore.exceptions.ClientError: An error occurred (AccessDenied)", MAY),
    ("Host key verification failed.", MAY),
    ("E   assert 'sold out' in 'ok'\n2 failed, 30 passed", SCRIPT),
    ("ValueError: could not convert string to float: '12,50'", SCRIPT),
    ("./release.sh: line 3: unexpected EOF while looking for matching `\"'", SCRIPT),
    ("npm ERR! Test failed. See above for more details.", SCRIPT),
    ("storefront: 3 of 40 tests failed", SCRIPT),
    ("Segmentation fault (core dumped)", SCRIPT),
    ("sqlalchemy.exc.ProgrammingError: syntax error at or near 'SELEC'", SCRIPT),
    ('/bin/sh: 1: Syntax error: "(" unexpected', SCRIPT),
    ("ORD-01 fail: 3 channel orders missing here", None),
    ("the schema change holds ACCESS EXCLUSIVE for 9.1 s, allowed are 2.0 s", None),
    ("expired by nobody: ", None),
    ("staging has another deployment under way", None),
    ("worker order-sync handed its work over at 11:02:01", None),
    ("nothing of storefront differs from 2026.11.10.4", None),
)
