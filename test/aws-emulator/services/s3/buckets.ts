/** Buckets with the text of their objects, put there by the control API. */
import { z } from "zod";
import { randomCharacters } from "../../identity/generated.ts";

export const bucketSpecSchema = z.strictObject({
  name: z.string().regex(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/),
  /** Keys and what is in them. */
  objects: z.record(z.string(), z.string()).default({}),
});

export type BucketSpec = z.input<typeof bucketSpecSchema>;

export interface StoredObject {
  readonly key: string;
  readonly versionId: string;
  readonly text: string;
}

export interface Bucket {
  readonly name: string;
  readonly objects: readonly StoredObject[];
}

export class BucketStore {
  readonly #buckets = new Map<string, Bucket>();

  put(spec: BucketSpec): Bucket {
    const { name, objects } = bucketSpecSchema.parse(spec);
    const bucket = {
      name,
      objects: Object.entries(objects).map(([key, text]) => {
        return {
          key,
          text,
          versionId: randomCharacters("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnop0123456789", 32),
        };
      }),
    };
    this.#buckets.set(name, bucket);
    return bucket;
  }

  find(name: string): Bucket | undefined {
    return this.#buckets.get(name);
  }

  list(): Bucket[] {
    return [...this.#buckets.values()];
  }

  remove(name: string): boolean {
    return this.#buckets.delete(name);
  }
}
