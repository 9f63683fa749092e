/**
 * The shape of the IAM policy documents that we print: no more of the language than they use.
 *
 * Every statement has a Sid, so that a reader (and a test that takes it away) can name it.
 */

export interface PolicyDocument {
  Version: "2012-10-17";
  Statement: PolicyStatement[];
}

export interface PolicyStatement {
  /** Letters and digits only, as IAM demands. */
  Sid: string;
  Effect: "Allow" | "Deny";
  /** In trust policies only. */
  Principal?: { AWS?: string; Service?: string };
  Action: string[];
  /** In permission policies only. */
  Resource?: string;
  /** By operator, then by condition key. */
  Condition?: Record<string, Record<string, string>>;
}

export function policy(...statements: PolicyStatement[]): PolicyDocument {
  return { Version: "2012-10-17", Statement: statements };
}
