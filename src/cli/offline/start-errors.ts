import { EXIT } from '../exit-codes.js';
import { Failure } from '../failure.js';

/**
 * Does what a start begins with.
 *
 * @throws {Failure} with every line, where the service cannot start as it is configured
 */
export async function starting<T>(start: () => Promise<T>): Promise<T> {
  try {
    return await start();
  } catch (error) {
    // By its name: the module it is from is loaded only together with the service.
    if (error instanceof Error && error.name === 'StartError') throw new Failure(EXIT.usage, linesOf(error));
    throw error;
  }
}

function linesOf(error: Error): readonly string[] {
  return 'lines' in error && Array.isArray(error.lines) ? error.lines.map(String) : [error.message];
}
