// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
import { defineConfig } from 'vite';

// For `npm run dev`: the server whose API the page uses.
const server = process.env.FAIRLEAD_SERVER ?? 'https://localhost:8443';

export default defineConfig({
  base: './',
  esbuild: { jsx: 'automatic', jsxImportSource: 'preact', legalComments: 'none' },
  build: {
    target: 'es2022',
    // The Content-Security-Policy allows no inline script or data: module.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
  },
  server: {
    proxy: {
      '/api': { target: server, secure: false, ws: true, changeOrigin: true },
      '/console-connector': { target: server, secure: false, ws: true, changeOrigin: true },
    },
  },
  test: { include: ['src/**/*.test.ts'], environment: 'node' },
} as Parameters<typeof defineConfig>[0]);
