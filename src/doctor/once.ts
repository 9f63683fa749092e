/** A fact that several checks need is gathered once, when the first of them asks. */
export function once<T>(gather: () => Promise<T>): () => Promise<T> {
  let gathered: Promise<T> | undefined;
  return () => {
    gathered ??= gather();
    return gathered;
  };
}
