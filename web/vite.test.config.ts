// Translates the unit tests for `node --test`.
import { readdirSync } from "node:fs"
import { join } from "node:path"
import { defineConfig } from "vite"

const TESTS = join(import.meta.dirname, "test")

export default defineConfig({
  logLevel: "warn",
  build: {
    ssr: true,
    outDir: join(import.meta.dirname, "node_modules/.tests"),
    minify: false,
    rollupOptions: {
      input: readdirSync(TESTS).map((name) => join(TESTS, name)),
      output: { entryFileNames: "[name].mjs" },
    },
  },
})
