import { Session } from './session';

/** Sessions in the order in which they came. A session is in one list at most. */
@final
export class SessionList {
  count: u32 = 0;
  first: Session | null = null;
  private last: Session | null = null;

  add(session: Session): void {
    const last = this.last;
    session.list = changetype<usize>(this);
    session.previous = last;
    session.next = null;
    if (last) last.next = session;
    else this.first = session;
    this.last = session;
    this.count++;
  }

  /** Nothing happens when it is not in this list. */
  remove(session: Session): void {
    if (session.list != changetype<usize>(this)) return;
    const next = session.next;
    const previous = session.previous;
    if (previous) previous.next = next;
    else this.first = next;
    if (next) next.previous = previous;
    else this.last = previous;
    session.list = 0;
    this.count--;
  }

  /** Takes the first and puts it last, so that all have their turn. Null: there is none. */
  turn(): Session | null {
    const session = this.first;
    if (session && session.next) {
      this.remove(session);
      this.add(session);
    }
    return session;
  }
}
