"""A labelled corpus of secrets and of what only looks like them, made from parts.

In: nothing; a fixed seed makes every run the same. Out: `positives()`, texts with a secret each,
and `negatives()`, texts that must stay byte for byte. No key stands in this file: each is put together
from a prefix and a random body, so that no scanner of a forge takes one for real.
"""

# ruff: noqa: E501  # the tables below read best with one entry a line

import base64
import hashlib
import json
import random
import string
from collections.abc import Callable, Iterator
from dataclasses import dataclass

ALNUM = string.ascii_letters + string.digits
LOWER = string.ascii_lowercase + string.digits
HEX = "0123456789abcdef"
URLSAFE = ALNUM + "-_"
BASE64 = ALNUM + "+/"


@dataclass(frozen=True, slots=True)
class Planted:
    """A text with one secret in it, and the rule that has to find it."""

    rule: str
    text: str
    secret: str


Make = Callable[[random.Random], str]


def body(alphabet: str, length: int) -> Make:
    """Return a maker of random text with at least three digits where the alphabet has any."""

    def make(chance: random.Random) -> str:
        while True:
            text = "".join(chance.choice(alphabet) for _ in range(length))
            if text[0] in "-_" or text[-1] in "-_":
                continue
            if sum(c.isdigit() for c in text) >= min(3, length // 8) or alphabet.isalpha():
                return text

    return make


def joined(*parts: str | Make) -> Make:
    """Return a maker of parts in a row."""
    return lambda chance: "".join(p if isinstance(p, str) else p(chance) for p in parts)


def _encoded(document: object) -> str:
    text = json.dumps(document).encode()
    return base64.urlsafe_b64encode(text).decode().rstrip("=")


def _jwt(chance: random.Random) -> str:
    head = _encoded({"alg": chance.choice(["HS256", "RS256"]), "typ": "JWT"})
    return f"{head}.{_encoded({'sub': body(LOWER, 12)(chance)})}.{body(URLSAFE, 43)(chance)}"


# Keys that can be told by their own form: rule → ways to make one.
TOKENS: dict[str, tuple[Make, ...]] = {
    "aws-access-key": tuple(
        joined(p, body("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", 16)) for p in ("AK" + "IA", "AS" + "IA")
    ),
    "aws-bedrock-key": (joined("AB" + "SK", body(BASE64, 109), "="),),
    "gcp-api-key": (joined("AI" + "za", body(URLSAFE, 35)),),
    "gcp-oauth-secret": (joined("GOC" + "SPX-", body(URLSAFE, 28)),),
    "gcp-oauth-token": (joined("ya" + "29.", body(URLSAFE, 120)),),
    "gcp-refresh-token": (joined("1/" + "/0", body(URLSAFE, 60)),),
    "azure-client-secret": (joined(body(ALNUM, 3), "8Q" + "~", body(ALNUM, 34)),),
    "github-token": (
        *(joined("gh" + kind, body(ALNUM, 36)) for kind in ("p_", "o_", "u_", "s_", "r_")),
        joined("github" + "_pat_", body(ALNUM, 22), "_", body(ALNUM, 59)),
    ),
    "gitlab-token": tuple(
        joined("gl" + kind, body(URLSAFE, 20)) for kind in ("pat-", "dt-", "rt-", "ptt-", "cbt-")
    ),
    "slack-token": (
        *(
            joined("xo" + k, body("123456789", 12), "-", body("123456789", 12), "-", body(ALNUM, 24))
            for k in ("xb-", "xp-")
        ),
        joined("xa" + "pp-1-A", body(string.ascii_uppercase, 10), "-", body("123456789", 13), "-",
               body(HEX, 64)),
    ),
    "slack-webhook": (
        joined("hooks.slack" + ".com/services/T", body(LOWER.upper(), 9), "/B",
               body(LOWER.upper(), 9), "/", body(ALNUM, 24)),
    ),
    "stripe-key": tuple(
        joined(kind, body(ALNUM, 32)) for kind in ("sk" + "_live_", "sk" + "_test_", "rk" + "_live_")
    ),
    "webhook-secret": (joined("wh" + "sec_", body(BASE64, 32)),),
    "anthropic-key": (
        joined("sk-" + "ant-api03-", body(URLSAFE, 93), "AA"),
        joined("sk-" + "ant-oat01-", body(URLSAFE, 86)),
    ),
    "openai-key": (
        joined("sk-" + "proj-", body(URLSAFE, 120)),
        joined("sk-" + "svcacct-", body(URLSAFE, 120)),
        joined("sk-", body(ALNUM, 20), "T3Blbk" + "FJ", body(ALNUM, 20)),
        joined("sk-" + "or-v1-", body(HEX, 64)),
        joined("sk-", body(HEX, 32)),
    ),
    "huggingface-token": (joined("h" + "f_", body(string.ascii_letters, 34)),),
    "npm-token": (joined("np" + "m_", body(ALNUM, 36)),),
    "pypi-token": (joined("pypi-" + "AgEIcHlwaS5vcmc", body(URLSAFE, 150)),),
    "twilio-key": (joined("S" + "K", body(HEX, 32)),),
    "sendgrid-key": (joined("S" + "G.", body(URLSAFE, 22), ".", body(URLSAFE, 43)),),
    "mailgun-key": (joined("ke" + "y-", body(HEX, 32)),),
    "telegram-token": (joined(body("123456789", 10), ":A" + "A", body(URLSAFE, 33)),),
    "discord-token": (
        joined("M", body(ALNUM, 25), ".", body(ALNUM, 6), ".", body(URLSAFE, 38)),
    ),
    "discord-webhook": (
        joined("discord" + ".com/api/webhooks/", body("123456789", 18), "/", body(URLSAFE, 68)),
    ),
    "digitalocean-token": tuple(joined("do" + k + "_v1_", body(HEX, 64)) for k in "opr"),
    "shopify-token": tuple(joined("shp" + k, body(HEX, 32)) for k in ("at_", "ca_", "pa_", "ss_")),
    "databricks-token": (joined("da" + "pi", body(HEX, 32)),),
    "heroku-key": (joined("HR" + "KU-", body(URLSAFE, 60)),),
    "cloudflare-key": (joined("v1" + ".0-", body(HEX, 24), "-", body(HEX, 146)),),
    "linear-key": (joined("lin" + "_api_", body(ALNUM, 40)),),
    "notion-token": (joined("nt" + "n_", body(ALNUM, 46)), joined("sec" + "ret_", body(ALNUM, 43))),
    "atlassian-token": (
        joined("ATA" + "TT3xFfGF0", body(URLSAFE, 180), "=", body(HEX.upper(), 8)),
        joined("AT" + "BB", body(ALNUM, 32)),
    ),
    "age-key": (joined("AGE-SECRET" + "-KEY-1", body("023456789ACDEFGHJKLMNPQRSTUVWXYZ", 58)),),
    "vault-token": (joined("hv" + "s.", body(URLSAFE, 90)),),
    "terraform-token": (joined(body(ALNUM, 14), ".atlas" + "v1.", body(URLSAFE, 67)),),
    "docker-token": (joined("dckr" + "_pat_", body(URLSAFE, 27)),),
    "grafana-token": (joined("gl" + "sa_", body(ALNUM, 32), "_", body(HEX, 8)),),
    "newrelic-key": (joined("NR" + "AK-", body(LOWER.upper(), 27)),),
    "planetscale-token": (joined("pscale" + "_tkn_", body(URLSAFE, 43)),),
    "groq-key": (joined("gs" + "k_", body(ALNUM, 52)),),
    "xai-key": (joined("xa" + "i-", body(ALNUM, 80)),),
    "perplexity-key": (joined("pp" + "lx-", body(ALNUM, 48)),),
    "replicate-token": (joined("r" + "8_", body(ALNUM, 37)),),
    "rubygems-key": (joined("ruby" + "gems_", body(HEX, 48)),),
    "cratesio-token": (joined("ci" + "o", body(ALNUM, 32)),),
    "supabase-key": (joined("sb" + "p_", body(HEX, 40)), joined("sb" + "_secret_", body(URLSAFE, 31))),
    "netlify-token": (joined("nf" + "p_", body(ALNUM, 36)),),
    "figma-token": (joined("fi" + "gd_", body(URLSAFE, 40)),),
    "postman-key": (joined("PM" + "AK-", body(HEX, 24), "-", body(HEX, 34)),),
    "sentry-token": (joined("sn" + "trys_", body(BASE64, 100)),),
    "airtable-token": (joined("pa" + "t", body(ALNUM, 14), ".", body(HEX, 64)),),
    "pulumi-token": (joined("pu" + "l-", body(HEX, 40)),),
    "doppler-token": (joined("dp" + ".pt.", body(ALNUM, 43)),),
    "square-token": (joined("sq" + "0atp-", body(URLSAFE, 22)),),
    "artifactory-key": (joined("AK" + "Cp", body(ALNUM, 69)),),
    "jwt": (_jwt,),
}  # fmt: skip

# Where a key may stand; `@` is the key.
AROUND = (
    "@", "use @ for now", "export API_THING=@\n", 'client = Client("@")', "key: '@'",
    '{"value": "@", "n": 1}', "https://api.test/v1?q=1&k=@&x=2", "- `@`\n", "a\t@\r\n", "(@)",
    "+    thing = '@',", "\x1b[31m@\x1b[0m", "värde→@←", "<b>@</b>", '["x","@"]', "X=@;Y=1", "@, and",
)  # fmt: skip

PASSWORDS: tuple[Make, ...] = (
    body(ALNUM, 16), body(LOWER, 20), body(HEX, 32),
    joined(body(ALNUM, 6), "!", body(ALNUM, 5)),
    joined(body(ALNUM, 7), "#", body(LOWER, 4), "$", "9q"),
)  # fmt: skip
STRONG: tuple[Make, ...] = (body(ALNUM, 32), body(HEX, 40), body(URLSAFE, 43), body(BASE64, 40))

# Secrets that are told by what stands before them: rule, text with `@`, what may stand there.
CONTEXTS: tuple[tuple[str, str, tuple[Make, ...]], ...] = (
    *(
        ("named-secret", text, PASSWORDS)
        for text in (
            'password = "@"', "DB_PASSWORD=@\n", "export PGPASSWORD='@'", '{"password": "@"}',
            "password: '@'", "  dbPassword: \"@\",", "const adminPassword = `@`;", '"passwd" => "@"',
            'String password = "@";', "let passphrase: &str = \"@\";", "MYSQL_ROOT_PASSWORD: \"@\"",
            "ENV APP_PASSWORD=@\n", "user.password == '@'", "[db]\npassword=@\nport=1",
        )
    ),
    *(
        ("named-secret", text, STRONG)
        for text in (
            'api_key = "@"', "API_KEY=@\n", '{"apiKey":"@","n":1}', "client_secret: @\n",
            'token="@"', "SECRET_KEY = '@'", "const authToken = '@'", "x-api-key: @\r\n",
            '"refreshToken" : "@"', 'private_key_value := "@"', "JWT_SECRET=@", "accessToken: '@',",
            'headers["X-Auth-Token"] = "@"', "secret = @\n", "APP_SECRET=@ npm start",
            "encryption-key: \"@\"", "session_key='@'", "  token: @\n", "WEBHOOK_SECRET=@",
        )
    ),
    ("aws-secret-key", "aws_secret_access_key = @\n", (body(BASE64, 40),)),
    ("aws-secret-key", "AWS_SECRET_ACCESS_KEY=@\n", (body(BASE64, 40),)),
    ("aws-secret-key", '"SecretAccessKey": "@",', (body(BASE64, 40),)),
    *(
        ("url-password", text, PASSWORDS[:4])
        for text in (
            "postgres://app:@@db.internal:5432/main", "mongodb+srv://root:@@c0.mongo.test/x",
            "redis://:@@cache:6379/0", "amqps://svc:@@mq.test", "https://bob:@@git.test/x.git",
            '"url": "mysql://u:@@h/d"', "https:\\/\\/bob:@@git.test\\/x",
        )
    ),
    ("url-token", "https://@@github.test/a/b.git", (body(ALNUM, 40),)),
    ("connection-string", "Server=tcp:h,1433;User ID=a;Password=@;Encrypt=True", PASSWORDS),
    ("connection-string", "AccountName=acme;AccountKey=@==;EndpointSuffix=x", (body(BASE64, 86),)),
    ("connection-string", "Endpoint=sb://n;SharedAccessKeyName=r;SharedAccessKey=@=", (body(BASE64, 43),)),
    ("azure-sas", "https://a.blob.test/c?sv=2024-01-01&se=2026&sr=b&sp=r&sig=@%3D", (body(ALNUM, 43),)),
    ("authorization", "Authorization: Bearer @\r\n", STRONG[:3]),
    ("authorization", '-H "Authorization: token @"', STRONG[:3]),
    ("authorization", '{"Authorization": "Bearer @"}', STRONG[:3]),
    ("authorization", "headers={'Authorization': f'Bearer @'}", STRONG[:3]),
    ("authorization", "Authorization: Basic @", (
        lambda chance: base64.b64encode(b"bob:" + body(ALNUM, 15)(chance).encode()).decode(),)),
    ("cookie", "Cookie: theme=dark; session=@; lang=en", STRONG[:3]),
    ("cookie", "Set-Cookie: sid=@; Path=/; HttpOnly", STRONG[:3]),
    ("netrc-password", "machine api.test\n  login bob\n  password @\n", PASSWORDS),
    ("netrc-password", "machine h login bob password @", PASSWORDS),
    ("docker-auth", '{"auths":{"r.test":{"auth": "@"}}}', (
        lambda chance: base64.b64encode(b"bob:" + body(ALNUM, 15)(chance).encode()).decode(),)),
    ("npmrc-token", "//registry.test/:_authToken=@\n", STRONG[:2]),
    ("kube-credential", "    client-key-data: @\n", (body(BASE64, 200),)),
    ("command-password", "curl -s -u bob:@ https://x.test", PASSWORDS[:3]),
    ("command-password", "curl --user 'bob:@' https://x.test", PASSWORDS),
    ("command-password", "sshpass -p @ ssh a@b", PASSWORDS[:3]),
    ("command-password", "docker login -u bob -p @ r.test", PASSWORDS[:3]),
    ("command-password", "mysql -h h -u root -p@ db", PASSWORDS[:3]),
    ("command-option", "tool --password @ run", PASSWORDS[:3]),
    ("command-option", "tool --api-key '@' run", STRONG[:3]),
    ("command-option", "tool --auth-token @", STRONG[:3]),
    ("random-string", "# the signing secret is\nsecret for staging: use @ there", (body(ALNUM, 44),)),
    ("random-string", 'setAuth("token", "@")', (body(ALNUM, 44),)),
)  # fmt: skip


def _key_lines(chance: random.Random, lines: int) -> list[str]:
    return [body(BASE64, 64)(chance) for _ in range(lines)] + [body(BASE64, 30)(chance) + "=="]


def private_keys(chance: random.Random) -> Iterator[Planted]:
    """Yield private keys in the shapes they come in; the secret is a line of the body."""
    for kind in ("RSA ", "EC ", "OPENSSH ", "", "ENCRYPTED ", "PGP "):
        end = "PRIVATE KEY" + (" BLOCK" if kind == "PGP " else "")
        first, last = f"-----BEGIN {kind}{end}-----", f"-----END {kind}{end}-----"
        lines = _key_lines(chance, 4)
        plain = "\n".join([first, *lines, last])
        shapes = (
            plain,
            plain.replace("\n", "\r\n"),
            json.dumps({"key": plain}),
            json.dumps({"out": json.dumps({"key": plain})}),
            "\n".join(f"    {line}" for line in plain.splitlines()),
            "\n".join(f"+{line}" for line in plain.splitlines()),
            "\n".join(f"{n:>6}→{line}" for n, line in enumerate(plain.splitlines(), 1)),
            "\n".join(f"'{line}\\n' +" for line in plain.splitlines()),
            json.dumps(plain.splitlines()),
            "\n".join([first, *lines]),
        )
        for shape in shapes:
            for secret in (lines[1], lines[-1]):
                yield Planted("private-key", shape, secret)


def positives() -> list[Planted]:
    """Return texts that hold one secret each, every rule several times."""
    chance = random.Random(20)
    found = []
    for rule, makers in TOKENS.items():
        for number, around in enumerate(AROUND):
            secret = makers[number % len(makers)](chance)
            found.append(Planted(rule, around.replace("@", secret), secret))
            if number % 4 == 0:
                nested = json.dumps({"t": json.dumps({"t": f"a\n{secret}\n"})})
                found.append(Planted(rule, nested, secret))
    for rule, text, makers in CONTEXTS:
        for make in makers:
            secret = make(chance)
            # In an address the second @ is the sign itself.
            plain = text.replace("@@", "\0@").replace("\0@", f"{secret}@") if "@@" in text else None
            plain = plain or text.replace("@", secret, 1)
            for shape in (plain, json.dumps({"a": f"x\n{plain}\ny"}, ensure_ascii=False)):
                found.append(Planted(rule, shape, json.dumps(secret)[1:-1]))
    found.extend(private_keys(chance))
    return found


CODE = (
    "password = get_password()", "api_key: str", "def login(user: str, password: str) -> Token:",
    'token = os.environ["TOKEN"]', "const token = process.env.GITHUB_TOKEN;", "${SECRET}",
    "PASSWORD=${DB_PASSWORD}", "password: xxx", 'api_key="<your-key>"', "TOKEN=your-token-here",
    'password="example"', 'secret_key = "changeme"', "token: ${{ secrets.GITHUB_TOKEN }}",
    "password: {{ .Values.db.password }}", "token=$(cat /run/secrets/token)", "self._token = token",
    "if (password === confirmPassword) {", "password: yup.string().min(8).required()",
    "tokens = tokenizer.encode(text)", '"max_tokens": 4096,', '"input_tokens":12034,"output_tokens":88',
    "secret: Option<String>,", "let token: Token = lexer.next_token();", "private String apiKey;",
    '"type": "password", "name": "password"', "<input type=\"password\" name=\"password\">",
    "label: 'Password'", 'placeholder="Enter your password"', "password_hash = bcrypt(password)",
    "token = request.headers.get('Authorization', '').removeprefix('Bearer ')",
    "Authorization: Bearer <token>", 'headers = {"Authorization": f"Bearer {token}"}',
    "Authorization: Bearer $TOKEN", "curl -u $USER:$PASS https://x.test", "--password-stdin",
    "curl -H 'Authorization: token YOUR_TOKEN' https://x.test", "http://localhost:8080/path@2x.png",
    "https://user:password@host/", "postgres://postgres:postgres@localhost/db", "git@github.test:a/b",
    "postgresql://${USER}:${PASS}@${HOST}/db", "redis://localhost:6379/0", "ssh://git@host:22/x.git",
    "mysql -u root -p database", "mkdir -p some/folder1", "cp -p a1b2 c3d4", "docker run -p 8080:80 x",
    "key-value", "sk-learn", "task-management-system-that-is-long", "mask-image: url(x)",
    "import { createHash } from 'crypto'", ".btn-sk-primary { color: #ff00aa }",
    "SECRET_NAME=projects/p/secrets/db-password/versions/latest", "token_type: bearer",
    "passwordResetTokenExpiresAt: Date", "credentials: 'include'", "credentials = service_account",
    "token: Token::Ident(name)", "Secret = namedtuple('Secret', 'name value')", "PASS 12 tests",
    "apiKey: config.get('api.key')", "token = token[1:]", "password=password,", "pwd: process.cwd()",
    "secretRef: { name: db-secret-v2 }", "secretName: tls-wildcard-2024", 'secret: "my-secret-name"',
    "-----BEGIN CERTIFICATE-----", "starts with -----BEGIN PRIVATE KEY----- and has a body",
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKq3G0bWn1y0v8m3nYV0p4gJ6mF8t1B5r7x9K2cQdLhZ jane",
    'expect(token).toBe("abc")', "bearer: true", "cookie: theme=dark; lang=en", "x.cookie = y.cookie2",
    "token == TokenKind.R_PAREN1", 'password = ""', "password: null", "password=None", "PASSWORD=",
    'KEY = "ArrowLeft1"', "api_key_id = 12345", 'msg["password.too_short"] = "8 characters or more"',
    '"access_token": "REDACTED"', 'token: "***"', "token=...", 'secret="••••••••"', "token: [hidden]",
    "this.apiKey = apiKey2;", "tokenUrl: '/oauth/token'", 'password_file = "/run/secrets/db1"',
    'password: "correct horse battery staple"', "passwordField1.text = viewModel.password2",
    '"token": "next_page_token_field"', "auth_token_path=/var/lib/token1", "secret=base64.b64decode(s)",
)  # fmt: skip


def negatives() -> list[str]:
    """Return texts without any secret: code, hashes, ids, lock files, pictures, fonts, style."""
    chance = random.Random(21)
    made: list[str] = list(CODE)
    made += [json.dumps({"code": text}) for text in CODE]
    for number in range(150):
        digest = hashlib.sha256(str(number).encode()).digest()
        sha1, sha256 = hashlib.sha1(digest).hexdigest(), digest.hex()  # noqa: S324
        sha512 = base64.b64encode(hashlib.sha512(digest).digest()).decode()
        b64 = base64.b64encode(digest).decode()
        uuid = f"{sha1[:8]}-{sha1[8:12]}-4{sha1[13:16]}-a{sha1[17:20]}-{sha1[20:32]}"
        name = "".join(chance.choice(string.ascii_lowercase) for _ in range(8))
        made += [
            f'      "integrity": "sha512-{sha512}",',
            f"  resolution: {{integrity: sha512-{sha512}}}",
            f'  resolved "https://registry.test/{name}/-/{name}-1.2.{number}.tgz#{sha1}"',
            f'checksum = "{sha256}"', f"{name} v1.{number}.0 h1:{b64}", f"sha256:{sha256}",
            f'    {{file = "{name}-1.0.whl", hash = "sha256:{sha256}"}},',
            f"    --hash=sha256:{sha256} \\", f"commit {sha1}", f"index {sha1[:7]}..{sha1[7:14]} 100644",
            f'"uuid":"{uuid}","parentUuid":"{uuid[::-1]}"', f"id: {uuid}", f"etag: \"{sha1}\"",
            f'"sessionId": "{uuid}", "requestId": "req_{b64[:24]}"', f"uses: a/b@{sha1} # v{number}",
            f"src: url(data:font/woff2;base64,{sha512}) format('woff2')",
            f".css-{sha1[:7]}-{name}{{margin:{number}px}}", f"main.{sha1[:8]}.chunk.js",
            f"!function(e,t){{e.{name}=t.r{number};var n=t({number});e.token=n}}(a,b);",
            f"const {name}Token{number} = create{name.title()}Token({number});",
            f'"signature":"{sha512}"', f"pub key {b64}", f'nonce="{b64[:22]}=="', f"rev: {sha1}",
            f"password_{name} = form.{name}_{number}.data", f"tool_use_id: toolu_01{b64[:22]}",
            f"    token: Token.{name.title()}{number},", f"SECRET_{name.upper()} = settings.{name}{number}",
            f"git checkout {sha1}", f"https://cdn.test/{sha1}/{name}.png?v={sha1[:10]}",
            f'image: r.test/{name}@sha256:{sha256}', f"0x{sha1}", f"port: {1000 + number}",
        ]  # fmt: skip
    return made
