/** `idc-helper register`: takes this host from nothing to deployable. Run again, it does only what is left to do. */
import { type RegisterFlags, RegisterSteps } from "../registration/register-steps.ts";
import { readSituation } from "../registration/situation.ts";
import { Progress, SILENT, standardOutput } from "../report/progress.ts";
import { answering, concludeJourney } from "./journey-answer.ts";
import type { ConfigOption } from "./options.ts";

export type RegisterOptions = RegisterFlags & ConfigOption;

export function register(options: RegisterOptions): Promise<number> {
  return answering(options, async () => {
    const progress = new Progress(options.json ? SILENT : standardOutput());
    const situation = await readSituation(options);
    const { serial, region } = situation.request;
    const title = options.dryRun ? "What registering would do, changing nothing" : "Registering this host";
    progress.say(`${title}: ${serial} in ${region}\n`);
    const steps = await RegisterSteps.create(options, situation, progress);
    const isSeen = () => steps.isPolling !== false;
    return concludeJourney({
      command: "register",
      steps: steps.all(),
      progress,
      json: options.json === true,
      success: {
        changed: () =>
          isSeen()
            ? `${serial} is registered, and its agent has what it needs. See how it stands: idc-helper status`
            : `${serial} is registered, but its agent was not seen polling: see above.`,
        kept: () =>
          isSeen()
            ? `Nothing had to be changed: ${serial} is registered, and its agent has what it needs.`
            : `${serial} is registered, but its agent was not seen polling: see above.`,
        planned: () => "Nothing was changed. Without --dry-run, the steps above are taken.",
      },
    });
  });
}
