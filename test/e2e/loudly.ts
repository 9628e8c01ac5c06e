/** For what tests prepare in their hooks. */

/** uvu does not print what a hook throws. */
export function loudly(prepare: () => Promise<void>): () => Promise<void> {
  return async () => {
    try {
      await prepare();
    } catch (error) {
      console.error(error);
      throw error;
    }
  };
}
