"""Projects that answers are judged on, both halves of the benchmark: nothing is trained on them."""

_NAMES = """
abseil-cpp aeson aiohttp alamofire axios axum bash-it bats-core cats chi circe click cobra
commons-lang curl dapper ecto exposed express fastapi flask fmt gin gson guzzle http4s httpx
jackson-databind json kotlinx.coroutines ktor laravel lazy.nvim libuv messagepack-csharp
mini.nvim model2vec monolog newtonsoft.json nvm pandoc phoenix plug pydantic rack rails
redis redux requests serde sinatra snapkit starlette telescope.nvim tokio trpc vapor vitest
xmonad zig-clap zls zod
"""
JUDGED = frozenset(_NAMES.split())
