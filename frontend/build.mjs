// Build the page's script and style: node build.mjs [FOLDER], by default into the package.
import { build } from "esbuild";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const folder = process.argv[2] ?? join(here, "..", "src", "kerasviz", "report");
const shared = { bundle: true, minify: true, charset: "ascii", legalComments: "none", target: "es2022" };
await build({
  ...shared,
  entryPoints: [join(here, "src", "main.ts")],
  outfile: join(folder, "page.js"),
  format: "iife",
});
await build({ ...shared, entryPoints: [join(here, "src", "page.css")], outfile: join(folder, "page.css") });
