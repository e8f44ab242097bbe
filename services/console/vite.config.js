// Three pages: the console, the charts, and the trade-off of risks.
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { defineConfig } from "vite";

const page = (name) => fileURLToPath(new URL(name, import.meta.url));
const pages = ["index.html", "dashboard.html", "tradeoff.html"].map(page).filter(existsSync);

export default defineConfig({
  base: "./", // the same files are served by review and by analytics
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  build: {
    target: "es2022",
    assetsInlineLimit: 0, // the content security policy allows no inline code
    rollupOptions: { input: pages },
  },
});
