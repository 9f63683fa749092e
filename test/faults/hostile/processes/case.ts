/** One hostile input for a real command. */
import type { Answer } from "../answer-server.ts";
import type { ScratchHost } from "./scratch.ts";

export interface Case {
  /** What is hostile about it, for the table: "config file". */
  group: string;
  name: string;
  argv: readonly string[];
  /** Added to a clean environment. */
  env?: Readonly<Record<string, string>>;
  input?: string;
  /** Makes the host hostile. */
  arrange?(host: ScratchHost): void;
  /** What stands in for AWS answers; a good session where it is left out. */
  answer?: Answer;
  /** Where the command fails, one of these is named. Empty where it need not fail over it. */
  places(host: ScratchHost): readonly string[];
  /** Of the machine itself: in a mount namespace of its own, with these lines of shell before the command. */
  inside?(host: ScratchHost): string;
}
