import { defineConfig } from "vite";

/** For development beside a running server: REPLICATE_BASE_URL=http://127.0.0.1:8363 REPLICATE_API_TOKEN=… npx vite */
const server = process.env.REPLICATE_BASE_URL ?? "http://127.0.0.1:8363";
const token = process.env.REPLICATE_API_TOKEN;
const proxied = {
  target: server,
  headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
};

export default defineConfig({
  build: {
    target: "es2023",
    modulePreload: { polyfill: false },
    // No data: URLs, which the Content-Security-Policy forbids for most kinds.
    assetsInlineLimit: 0,
    reportCompressedSize: false,
  },
  server: { proxy: { "/v1": proxied, "/-": proxied } },
});
