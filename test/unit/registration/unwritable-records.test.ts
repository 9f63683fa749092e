/** Root's records of a registration and an adoption on a disk that takes nothing: a message, never a stack. */
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { expect, test } from "vitest";
import { type Manifest, writeManifest } from "../../../src/adoption/manifest.ts";
import { Failure } from "../../../src/failure.ts";
import { type Registration, writeRegistration } from "../../../src/registration/record.ts";
import { useScratchDirectory } from "../host/scratch-directory.ts";

const scratch = useScratchDirectory();

test("a registration that cannot be recorded is told with its file and the next step (EIO at pool getdents64)", async () => {
  // No directory, for root and for anybody else.
  writeFileSync(scratch("etc"), "");
  const written = writeRegistration(scratch("etc", "config.yaml"), {} as Registration);
  await expect(written).rejects.toBeInstanceOf(Failure);
  await expect(written).rejects.toMatchObject({
    kind: "cannot_write",
    message: `${scratch("etc", "registration.json")} could not be written: ENOTDIR`,
    nextStep: expect.stringContaining(`df -h ${scratch("etc")}`),
  });
});

test("an adoption that cannot be recorded is told with its file and the next step", async () => {
  mkdirSync(scratch("etc"));
  writeFileSync(scratch("etc", "adoption"), "");
  chmodSync(scratch("etc", "adoption"), 0o600);
  const written = writeManifest(scratch("etc", "config.yaml"), {} as Manifest);
  await expect(written).rejects.toBeInstanceOf(Failure);
  await expect(written).rejects.toMatchObject({
    kind: "cannot_write",
    message: expect.stringContaining(
      `${scratch("etc", "adoption", "manifest.json")}, which says what adopt changed`,
    ),
  });
});
