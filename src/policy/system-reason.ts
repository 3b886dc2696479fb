/** Why the operating system refused, in its words without the call and the path: `no such file or directory`. */
export function systemReason(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.replace(/^[A-Z0-9_]+: /, '').replace(/, [a-z]+(?: '.*')?$/s, '');
}
