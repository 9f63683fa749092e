/** src/aws/shared-files.ts: nobody has put anything into the SDK's own files here. */
export const refuseEndlessFiles = (): void => undefined;
