/** The shapes of control requests over HTTP; a typo in one is an error that names it, not a test that passes. */
import { z } from "zod";
import { permissionPolicySchema, trustPolicySchema } from "../identity/policy/document.ts";
import { rolesAnywhereSpecSchema } from "../identity/roles-anywhere.ts";
import { eventSpecSchema } from "../services/commands/lifecycle-event.ts";
import { bucketSpecSchema } from "../services/s3/buckets.ts";

export const bodySchemas = {
  event: eventSpecSchema,
  keyState: z.strictObject({ state: z.enum(["active", "expired", "invalid"]) }),
  instance: z.strictObject({ name: z.string(), region: z.string(), iamSessionArn: z.string() }),
  user: z.strictObject({
    name: z.string(),
    accessKeyId: z.string(),
    secretAccessKey: z.string(),
    policies: z.array(permissionPolicySchema).optional(),
  }),
  role: z.strictObject({
    name: z.string(),
    path: z.string().optional(),
    maxSessionDurationSeconds: z.int().min(3600).max(43_200).optional(),
    trustPolicy: trustPolicySchema,
    policies: z.array(permissionPolicySchema).optional(),
  }),
  rolesAnywhere: rolesAnywhereSpecSchema,
  bucket: bucketSpecSchema,
  down: z.strictObject({ forMs: z.number().min(0).optional() }),
};
