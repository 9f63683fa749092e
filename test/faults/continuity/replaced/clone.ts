/** src/registration/clone.ts: a machine that is never cloned. */
export async function refuseOnClone(): Promise<void> {}
