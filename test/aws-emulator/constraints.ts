/**
 * The constraints that AWS's service models declare, checked all at once and reported in AWS's wording, for
 * example "1 validation error detected: Value 'x' at 'roleSessionName' failed to satisfy constraint: Member
 * must have length greater than or equal to 2".
 */
import { AwsError } from "./aws-error.ts";

export interface StringConstraint {
  readonly minLength?: number;
  readonly maxLength?: number;
  /** The pattern as the service model has it; it must match the whole value. */
  readonly pattern?: string;
}

export class ConstraintCheck {
  readonly #violations: string[] = [];

  required(member: string, value: unknown): void {
    if (value === undefined)
      this.#violations.push(`Value null ${constraintAt(member)}Member must not be null`);
  }

  string(member: string, value: string | undefined, constraint: StringConstraint): void {
    if (value === undefined) return;
    const { minLength, maxLength, pattern } = constraint;
    if (minLength !== undefined && value.length < minLength)
      this.#add(member, value, `Member must have length greater than or equal to ${minLength}`);
    if (maxLength !== undefined && value.length > maxLength)
      this.#add(member, value, `Member must have length less than or equal to ${maxLength}`);
    if (pattern !== undefined && !new RegExp(`^(?:${pattern})$`, "u").test(value))
      this.#add(member, value, `Member must satisfy regular expression pattern: ${pattern}`);
  }

  range(member: string, value: number | undefined, minimum: number, maximum: number): void {
    if (value === undefined) return;
    if (value < minimum)
      this.#add(member, value, `Member must have value greater than or equal to ${minimum}`);
    if (value > maximum) this.#add(member, value, `Member must have value less than or equal to ${maximum}`);
  }

  oneOf(member: string, value: string | undefined, allowed: readonly string[]): void {
    if (value === undefined || allowed.includes(value)) return;
    this.#add(member, value, `Member must satisfy enum value set: [${allowed.join(", ")}]`);
  }

  throwIfViolated(): void {
    const count = this.#violations.length;
    if (count === 0) return;
    const errors = count === 1 ? "error" : "errors";
    throw new AwsError(
      "ValidationError",
      `${count} validation ${errors} detected: ${this.#violations.join("; ")}`,
    );
  }

  #add(member: string, value: string | number, constraint: string): void {
    this.#violations.push(`Value '${value}' ${constraintAt(member)}${constraint}`);
  }
}

function constraintAt(member: string): string {
  return `at '${member}' failed to satisfy constraint: `;
}
