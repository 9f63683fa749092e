/** The collection as Galaxy and its users see it. */
import { type Check, expectEqual, expectMatch } from "../systemd/checks.ts";
import type { ControlNode } from "./control-node.ts";

export async function checkCollection(node: ControlNode, check: Check): Promise<void> {
  await check("ansible-galaxy builds the collection, and installs what it has built", async () => {
    expectMatch(await node.installCollection(), /was installed successfully/, "what it says");
  });

  await check("ansible-doc has pages of the role and of the module", async () => {
    const role = await node.must("ansible-doc", ["-t", "role", "idc.codedeploy_helper.idc_helper"]);
    expectMatch(role, /idc_helper_serial/, "the role's page");
    const module = await node.must("ansible-doc", ["idc.codedeploy_helper.on_premises_instance"]);
    expectMatch(module, /role_arn/, "the module's page");
  });

  await check("ansible-lint finds nothing in the whole collection, in its strictest profile", async () => {
    const { code, output } = await node.lint();
    expectEqual(code, 0, "its status", output);
    expectMatch(output, /Passed with production profile: 0 failure\(s\), 0 warning\(s\)/, "what it says");
  });
}
