// Build the page's script and style, and the widget: node build.mjs [FOLDER], by default into the package.
import { build, transform } from "esbuild";
import { readFile } from "node:fs/promises";
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

// A widget is one module, which has its style as text.
const styleAsText = {
  name: "style-as-text",
  setup: (context) =>
    context.onLoad({ filter: /\.css$/ }, async ({ path }) => {
      const { code } = await transform(await readFile(path, "utf8"), { loader: "css", minify: true, charset: "ascii" });
      return { contents: code, loader: "text" };
    }),
};
await build({
  ...shared,
  entryPoints: [join(here, "src", "widget.ts")],
  outfile: join(folder, "widget.js"),
  format: "esm",
  plugins: [styleAsText],
});
