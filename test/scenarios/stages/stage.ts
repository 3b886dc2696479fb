/** Something a scenario can be played on. Outcomes are single words, the same on every stage. */
export interface Stage {
  /** `allow` or `deny <reason>`. `request` is `METHOD /path` for HTTP. */
  check(who: string, resource: string, request: string | null): Promise<string>;
  /** All resolve with the new state, or `error <code>`. */
  ask(who: string, wish: Wish): Promise<Outcome>;
  review(who: string, request: string, verdict: 'approve' | 'deny'): Promise<Outcome>;
  withdraw(who: string, request: string): Promise<Outcome>;
  end(who: string, grant: string, how: 'revoke' | 'return'): Promise<Outcome>;
  lock(
    who: string,
    target: { readonly kind: string; readonly name: string },
    duration: string | null,
  ): Promise<Outcome>;
  unlock(who: string, lock: string): Promise<Outcome>;
  pass(duration: string): Promise<void>;
  close(): Promise<void>;
}

interface Wish {
  readonly resource: string;
  readonly duration: string;
  readonly action: string | null;
}

export interface Outcome {
  readonly word: string;
  /** Of what was made or changed. */
  readonly id?: string | undefined;
  /** Of the grant that a review made. */
  readonly grantId?: string | undefined;
}

/** `spiffe://corp/<name>`. */
export const uriOf = (name: string) => `spiffe://corp/${name}`;
