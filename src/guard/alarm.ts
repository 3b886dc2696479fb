/** Something about a guard that somebody should look at. Its text is the same each time, so that many are told as one. */
export class GuardAlarm extends Error {
  override readonly name = 'GuardAlarm';
  /** Whom or what it is about; chosen by the guard. */
  readonly about: Readonly<Record<string, string | number>>;

  constructor(message: string, about: Readonly<Record<string, string | number>> = {}, options?: ErrorOptions) {
    super(message, options);
    this.about = about;
  }
}
