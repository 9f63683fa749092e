/** Everything that there is to print for one set of inputs, by name and in the order in which IAM wants it made. */
import { certificateProfile } from "./certificate.ts";
import { basePolicy, baseTrustPolicy, hostRolePolicy, operatorPolicy, trustPolicy } from "./documents.ts";
import type { IamInputs } from "./inputs.ts";
import type { PolicyDocument } from "./policy-document.ts";

/** What `--only` takes, besides `profile`. */
export const DOCUMENT_NAMES = ["base-trust", "base", "trust", "role", "operator"] as const;

export type DocumentName = (typeof DOCUMENT_NAMES)[number];

export interface IamOutput {
  /** `base-trust` is there with certificates only. */
  documents: Partial<Record<DocumentName, PolicyDocument>>;
  /** The base credentials file of a host with a certificate. */
  profile: string | null;
}

export function iamOutput(inputs: IamInputs): IamOutput {
  const baseTrust = baseTrustPolicy(inputs);
  return {
    documents: {
      ...(baseTrust === null ? {} : { "base-trust": baseTrust }),
      base: basePolicy(inputs),
      trust: trustPolicy(inputs),
      role: hostRolePolicy(inputs),
      operator: operatorPolicy(inputs),
    },
    profile: certificateProfile(inputs),
  };
}
