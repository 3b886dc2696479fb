/** The service cannot start as it is configured. What to do is in the lines; the exit code is 2. */
export class StartError extends Error {
  override readonly name = 'StartError';
  readonly lines: readonly string[];

  constructor(lines: readonly string[], options?: ErrorOptions) {
    super(lines.join('\n'), options);
    this.lines = lines;
  }
}

/** Passes on what `work` gives; what it throws becomes a line that names the setting it is about. */
export async function starting<T>(setting: string, work: () => T | Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof StartError) throw error;
    throw new StartError([`${setting}: ${error instanceof Error ? error.message : String(error)}`], { cause: error });
  }
}
