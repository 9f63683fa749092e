/** Asking a person at a terminal. Nothing that is typed here is ever echoed where it is a secret, or passed on in argv. */
import { Failure } from "../failure.ts";

/** Both ends are a terminal: somebody can read the question and answer it. */
export function isInteractive(): boolean {
  return process.stdin.isTTY === true && process.stdout.isTTY === true;
}

export interface Question {
  message: string;
  /** @returns true, or what is wrong with the answer */
  validate?: (answer: string) => true | string;
}

export async function askText({ message, validate }: Question): Promise<string> {
  const { default: input } = await import("@inquirer/input");
  return answered(input({ message, ...(validate ? { validate } : {}) }));
}

/** Nothing is echoed, not even asterisks: they would tell the length. */
export async function askSecret({ message, validate }: Question): Promise<string> {
  const { default: password } = await import("@inquirer/password");
  return answered(password({ message, ...(validate ? { validate } : {}) }));
}

/** The default answer is no. */
export async function askYes(message: string): Promise<boolean> {
  const { default: confirm } = await import("@inquirer/confirm");
  return answered(confirm({ message, default: false }));
}

/** @throws Failure `interrupted` on Ctrl-C and at the end of input */
async function answered<T>(answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (error) {
    if (!(error instanceof Error) || !/^(Exit|Abort|Cancel)PromptError$/.test(error.name)) throw error;
    throw new Failure({
      kind: "interrupted",
      message: "interrupted at a question",
      nextStep: "Nothing was changed by it. Run the command again.",
    });
  }
}
