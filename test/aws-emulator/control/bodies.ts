/** The shapes of control requests over HTTP; a typo in one is an error that names it, not a test that passes. */
import { z } from "zod";
import { eventSpecSchema } from "../services/commands/lifecycle-event.ts";

const grant = z.strictObject({ action: z.string(), resource: z.string() });

export const bodySchemas = {
  event: eventSpecSchema,
  keyState: z.strictObject({ state: z.enum(["active", "expired", "invalid"]) }),
  instance: z.strictObject({ name: z.string(), region: z.string(), iamSessionArn: z.string() }),
  user: z.strictObject({
    name: z.string(),
    accessKeyId: z.string(),
    secretAccessKey: z.string(),
    grants: z.array(grant).optional(),
  }),
  role: z.strictObject({
    name: z.string(),
    path: z.string().optional(),
    maxSessionDurationSeconds: z.int().min(3600).max(43_200).optional(),
    trusts: z.array(z.string()),
    grants: z.array(grant).optional(),
  }),
  down: z.strictObject({ forMs: z.number().min(0).optional() }),
};
