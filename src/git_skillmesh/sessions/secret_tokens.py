"""Keys and tokens that can be told by their own form: a prefix, an alphabet, a length.

In: nothing. Out: `TOKENS`. The facts are from the providers' public documentation. Checksums
(GitHub's, npm's) are not asked for: a mistyped key still tells most of the right one.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Token:
    """A form of key: `anchor` is what the first search looks for, `rest` what must follow.

    `loose` forms have a beginning that also ends ordinary words, so they must begin one. `before`
    is what stands in front of the anchor. The first characters of a `public` form may be shown.
    """

    name: str
    about: str
    anchor: str
    rest: str
    loose: bool = False
    public: bool = True
    before: str = ""


_W = "[A-Za-z0-9]"
_U = "[A-Za-z0-9_-]"
_X = "[0-9a-f]"

TOKENS = (
    Token("aws-access-key", "access key id of AWS", "A(?:KIA|SIA|BIA|CCA)", "[A-Z2-7]{16}", True),
    Token("aws-bedrock-key", "key of Amazon Bedrock", "ABSK", "[A-Za-z0-9+/]{80,200}={0,2}", True),
    Token("gcp-api-key", "API key of Google", "AIza", f"{_U}{{35}}"),
    Token("gcp-oauth-secret", "client secret of Google", "GOCSPX-", f"{_U}{{28}}"),
    Token("gcp-oauth-token", "access token of Google", r"ya29\.", "[A-Za-z0-9_.-]{20,}"),
    Token("gcp-refresh-token", "refresh token of Google", "1//0", f"{_U}{{40,160}}", True),
    Token("azure-client-secret", "client secret of Entra", "[0-9]Q~",
          "[A-Za-z0-9_~.-]{31,34}", True, False, "[A-Za-z0-9_~.-]{3}"),
    Token("github-token", "token of GitHub", "gh[pousr]_", f"{_W}{{36,255}}"),
    Token("github-token", "fine-grained token of GitHub", "github_pat_",
          f"{_W}{{22}}_{_W}{{59}}"),
    Token("gitlab-token", "token of GitLab",
          "gl(?:pat|dt|rt|rtr|cbt|ptt|ft|soat|imt|oas|agent|wt|ffct)-",
          f"{_U}{{20,}}(?:\\.[0-9a-z]{{2}}\\.{_U}{{9}})?"),
    Token("slack-token", "token of Slack", "xox[abceoprs][.-]", "[A-Za-z0-9.%-]{10,}"),
    Token("slack-token", "app token of Slack", "xapp-[0-9]-", "[A-Za-z0-9-]{20,200}"),
    Token("slack-webhook", "webhook of Slack", r"hooks\.slack\.com\\*/(?:services|workflows)",
          r"(?:\\*/[A-Za-z0-9_]{6,60}){3}", False, False),
    Token("stripe-key", "secret key of Stripe", "[rs]k_(?:live|test|prod)_", f"{_W}{{16,250}}"),
    Token("webhook-secret", "signing secret of webhooks", "whsec_", "[A-Za-z0-9+/]{24,120}={0,2}"),
    Token("anthropic-key", "key of Anthropic", "sk-ant-", f"[a-z]{{2,8}}[0-9]{{2}}-{_U}{{20,}}"),
    Token("openai-key", "key of OpenAI", "sk-(?:proj|svcacct|admin|None)-", f"{_U}{{20,}}"),
    Token("openai-key", "key of OpenAI and of others with its form", "sk-(?:or-v1-)?",
          f"{_W}{{32,200}}", True),
    Token("huggingface-token", "token of Hugging Face", "hf_", "[A-Za-z0-9]{34,40}", True),
    Token("huggingface-token", "organisation token of Hugging Face", "api_org_", "[A-Za-z]{34}"),
    Token("npm-token", "token of npm", "npm_", f"{_W}{{36}}"),
    Token("pypi-token", "token of PyPI", "pypi-AgE", f"{_U}{{50,}}"),
    Token("twilio-key", "key of Twilio", "SK", f"{_X}{{32}}", True),
    Token("sendgrid-key", "key of SendGrid", r"SG\.", f"{_U}{{22}}\\.{_U}{{43}}", True),
    Token("mailgun-key", "key of Mailgun", "key-", f"{_X}{{32}}", True),
    Token("telegram-token", "token of a Telegram bot", ":AA", f"{_U}{{33}}", True, False,
          "[0-9]{8,10}"),
    Token("discord-token", "token of a Discord bot",
          f"\\.{_U}{{6}}\\.", f"{_U}{{27,40}}", True, False, f"[MNO]{_U}{{23,27}}"),
    Token("discord-webhook", "webhook of Discord", r"discord(?:app)?\.com\\*/api\\*/webhooks\\*/",
          f"[0-9]{{15,22}}\\\\*/{_U}{{50,90}}", False, False),
    Token("digitalocean-token", "token of DigitalOcean", "do[opr]_v1_", f"{_X}{{64}}"),
    Token("shopify-token", "token of Shopify", "shp(?:at|ca|pa|ss|ua|tka)_", "[0-9a-fA-F]{32}"),
    Token("databricks-token", "token of Databricks", "dapi", f"{_X}{{32}}(?:-[0-9])?", True),
    Token("heroku-key", "key of Heroku", "HRKU-", f"{_U}{{30,70}}"),
    Token("cloudflare-key", "origin CA key of Cloudflare", "v1\\.0-", f"{_X}{{24}}-{_X}{{146}}"),
    Token("linear-key", "key of Linear", "lin_(?:api|oauth|wh)_", f"{_W}{{32,80}}"),
    Token("notion-token", "token of Notion", "ntn_", f"{_W}{{40,60}}"),
    Token("notion-token", "older token of Notion", "secret_", f"{_W}{{43}}", True),
    Token("atlassian-token", "token of Atlassian", "AT[AC]TT3", "[A-Za-z0-9_=-]{60,}"),
    Token("atlassian-token", "app password of Bitbucket", "ATBB", f"{_W}{{32}}", True),
    Token("age-key", "key of age", "AGE-SECRET-KEY-1", "[02-9AC-HJ-NP-Z]{58}"),
    Token("vault-token", "token of Vault", r"hv[sbr]\.", f"{_U}{{24,}}", True),
    Token("terraform-token", "token of Terraform", r"\.atlasv1\.", f"{_U}{{60,80}}",
          True, False, f"{_W}{{14}}"),
    Token("docker-token", "token of Docker Hub", "dckr_(?:pat|oat)_", f"{_U}{{27,40}}"),
    Token("grafana-token", "token of Grafana", "gl(?:c|sa)_", "[A-Za-z0-9+/_]{32,}={0,2}"),
    Token("newrelic-key", "key of New Relic", "NRAK-", "[A-Z0-9]{27}"),
    Token("planetscale-token", "token of PlanetScale", "pscale_(?:tkn|pw|oauth)_",
          "[A-Za-z0-9_.=-]{32,64}"),
    Token("groq-key", "key of Groq", "gsk_", f"{_W}{{52}}"),
    Token("xai-key", "key of xAI", "xai-", f"{_W}{{80}}"),
    Token("perplexity-key", "key of Perplexity", "pplx-", f"{_W}{{40,64}}"),
    Token("replicate-token", "token of Replicate", "r8_", f"{_W}{{37}}", True),
    Token("rubygems-key", "key of RubyGems", "rubygems_", f"{_X}{{48}}"),
    Token("cratesio-token", "token of crates.io", "cio", f"{_W}{{32}}", True),
    Token("supabase-key", "key of Supabase", "sb(?:p|_secret)_", f"{_U}{{24,64}}"),
    Token("netlify-token", "token of Netlify", "nfp_", f"{_W}{{36,40}}"),
    Token("figma-token", "token of Figma", "figd_", f"{_U}{{40,60}}"),
    Token("postman-key", "key of Postman", "PMAK-", f"{_X}{{24}}-{_X}{{34}}"),
    Token("sentry-token", "token of Sentry", "sntry[su]_", "[A-Za-z0-9+/=_-]{60,}"),
    Token("airtable-token", "token of Airtable", f"pat{_W}{{14}}\\.", f"{_X}{{64}}", True),
    Token("pulumi-token", "token of Pulumi", "pul-", f"{_X}{{40}}", True),
    Token("doppler-token", "token of Doppler", r"dp\.(?:pt|st|ct|sa|scim|audit)\.",
          "[A-Za-z0-9._-]{40,80}"),
    Token("square-token", "token of Square", "sq0(?:atp|csp|idp)-", f"{_U}{{22,60}}"),
    Token("artifactory-key", "key of Artifactory", "AKCp", f"{_W}{{60,80}}", True),
    Token("jwt", "JSON web token", "eyJ", r"[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{6,}"
          r"(?:\.[A-Za-z0-9_-]{8,})?", True),
)  # fmt: skip
