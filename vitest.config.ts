import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    exclude: ["test/e2e/**", "test/readers/**", "node_modules/**"],
    globalSetup: ["test/global-setup.ts"],
    // Waiting for an event has a generous limit; no test is decided by how fast the machine is.
    testTimeout: 300_000,
    hookTimeout: 300_000,
    pool: "forks",
  },
});
