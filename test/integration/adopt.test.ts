/** `idc-helper adopt` of a host whose cron job has written the agent's credentials so far. */
import { describe, expect, test } from "vitest";
import { CREDENTIALS_FILE } from "../harness/host-root.ts";
import {
  changesInAws,
  configOfWorker,
  openCronHost,
  PLACES,
  snapshot,
  troubles,
} from "./adopt-scene.ts";

describe.concurrent("adopt", () => {
  test.each(Object.entries(PLACES))("%s: takes over", async (_, place) => {
    await expect(true).toBe(true);
  });
  test("x", async (context) => {
    const scene = await openCronHost(context);
    const { host, place } = scene;
    const { code, stdout, stderr } = await host.command(["adopt", "--yes"]);
    console.log(stdout, stderr);
    expect(code).toBe(0);
    expect(await configOfWorker(scene)).toBe(CREDENTIALS_FILE);
    console.log(host.read(place.crontab));
    expect(troubles(scene)).toEqual([]);
    const again = await host.command(["adopt", "--yes"]);
    console.log(again.stdout, again.stderr);
    expect(changesInAws(scene)).toEqual([]);
    const undo = await host.command(["adopt", "--undo", "--yes"]);
    console.log(undo.stdout, undo.stderr);
    snapshot(scene);
  });
});
