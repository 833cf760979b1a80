// Builds the page into the Python package: one classic script, one stylesheet, no hashes in names,
// so that the same folder is served over loopback and opens from a disk.
import { copyFileSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { defineConfig, type Plugin } from "vite"

const PAGE = process.env["PAGE_OUT"] ?? join(import.meta.dirname, "../src/git_skillmesh/explorer/page")

/** Copies index.html as it is, and writes down the licences of the packages that are in the script. */
function beside(): Plugin {
  const packages = new Set<string>()
  return {
    name: "beside",
    generateBundle(_, bundle) {
      for (const file of Object.values(bundle)) {
        if (file.type !== "chunk") continue
        for (const id of file.moduleIds) {
          const found = /node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(id)
          if (found) packages.add(found[1]!)
        }
      }
    },
    closeBundle() {
      copyFileSync(join(import.meta.dirname, "index.html"), join(PAGE, "index.html"))
      const parts = [...packages].sort().map((name) => {
        const folder = join(import.meta.dirname, "node_modules", name)
        const { version, license } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"))
        return `${name} ${version} (${license})\n\n${readFileSync(join(folder, "LICENSE"), "utf8").trim()}\n`
      })
      const head = "explorer.js contains code of these packages, besides that of git skillmesh.\n\n"
      writeFileSync(join(PAGE, "NOTICE"), head + parts.join("\n\n"))
    },
  }
}

export default defineConfig({
  plugins: [beside()],
  publicDir: false,
  build: {
    outDir: PAGE,
    emptyOutDir: true,
    target: ["chrome123", "firefox120", "safari17.5"],
    cssMinify: "lightningcss",
    modulePreload: false,
    reportCompressedSize: false,
    lib: {
      entry: join(import.meta.dirname, "src/main.tsx"),
      formats: ["iife"],
      name: "explorer",
      fileName: () => "explorer.js",
      cssFileName: "explorer",
    },
  },
})
