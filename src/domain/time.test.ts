import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { at, runs, T0 } from '../../test/builders.js';
import {
  after,
  checkedClock,
  CLOCK_TOLERANCE,
  days,
  earliest,
  fakeClock,
  hours,
  minutes,
  seconds,
  type Instant,
  type Reading,
} from './time.js';

const SLEW = 500e-6;
const HOUR: number = hours(1);
const NEVER = 0 as Instant;

/** A machine whose two clocks a test moves: time passes on both, and somebody sets the wall clock. */
function machine({ drift = 0 } = {}) {
  let passed = 0;
  let set = 0;
  return {
    wall: () => Math.round(T0 + passed * (1 + drift) + set),
    mono: () => 7_000 + passed,
    pass: (ms: number) => {
      passed += ms;
    },
    step: (ms: number) => {
      set += ms;
    },
  };
}

function start({ mark = NEVER, drift = 0, confirmed = null as Instant | null } = {}) {
  const on = machine({ drift });
  return { ...on, clock: checkedClock(on.wall, on.mono, mark, confirmed) };
}

describe('at the start', () => {
  const rows = [
    { name: 'no mark', mark: NEVER, time: 0, trusted: true },
    { name: 'a mark in the past', mark: at(-5), time: 0, trusted: true },
    { name: 'the mark is now', mark: at(0), time: 0, trusted: true },
    { name: 'the mark is a ms ahead: time goes on from there', mark: at(1), time: 1, trusted: true },
    { name: 'the mark is ahead by the tolerance', mark: at(2_000), time: 2_000, trusted: true },
    {
      name: 'the mark is ahead by a ms more: the clock went back while we were down',
      mark: at(2_001),
      time: 0,
      trusted: false,
    },
    { name: 'the mark is years ahead', mark: at(days(900)), time: 0, trusted: false },
  ];
  test.for(rows)('$name: trusted $trusted', ({ mark, time, trusted }) => {
    expect(start({ mark }).clock.read()).toEqual({ wall: at(time), mono: 7_000, trusted });
  });

  test('a clock behind the mark is trusted from the mark on, and not one ms earlier', () => {
    const { clock, pass } = start({ mark: at(hours(1)) });
    pass(hours(1) - 1);
    expect(clock.read()).toMatchObject({ wall: at(hours(1) - 1), trusted: false });
    pass(1);
    expect(clock.read()).toMatchObject({ wall: at(hours(1)), trusted: true });
  });

  test('a clock that went on from the mark joins the wall clock and is not late for ever', () => {
    const { clock, pass, wall } = start({ mark: at(1_000) });
    for (let i = 0; i < 40; i++) {
      pass(minutes(1));
      clock.read();
    }
    expect(clock.read()).toMatchObject({ wall: wall(), trusted: true });
  });
});

describe('a start that leaps ahead of the mark', () => {
  const DAY: number = days(1);
  const mark = at(-30 * DAY - 1);
  const rows = [
    { name: 'of thirty days is a pause', mark: at(-30 * DAY), confirmed: null, trusted: true },
    { name: 'of a ms more is none', mark, confirmed: null, trusted: false },
    { name: 'of fifty years is none', mark: at(-18_000 * DAY), confirmed: null, trusted: false },
    { name: 'is believed on the day that somebody confirms', mark, confirmed: T0, trusted: true },
    { name: 'is believed to the last ms of that day', mark, confirmed: at(1 - DAY), trusted: true },
    { name: 'is not on the day after', mark, confirmed: at(-DAY), trusted: false },
    { name: 'is not before that day', mark, confirmed: at(1), trusted: false },
  ];
  test.for(rows)('$name: trusted $trusted', ({ mark, confirmed, trusted }) => {
    expect(start({ mark, confirmed }).clock.read()).toEqual({ wall: trusted ? T0 : mark, mono: 7_000, trusted });
  });

  test('goes on from the mark while it is suspect, so that nothing is written with the time of a wrong clock', () => {
    const { clock, pass } = start({ mark });
    pass(hours(2));
    expect(clock.read()).toMatchObject({ wall: after(mark, hours(2)), trusted: false });
  });

  test('a confirmed day says nothing for a clock that lies before the mark', () => {
    expect(start({ mark: at(hours(1)), confirmed: T0 }).clock.read().trusted).toBe(false);
  });
});

describe('a step of the wall clock', () => {
  const rows = [
    { step: 2_000, trusted: true },
    { step: 2_001, trusted: false },
    { step: -2_000, trusted: true },
    { step: -2_001, trusted: false },
    { step: hours(24), trusted: false },
    { step: -24 * HOUR, trusted: false },
    { step: Number.NaN, trusted: false },
  ];
  test.for(rows)('of $step ms: trusted $trusted, and time goes on as if nothing had happened', ({ step, trusted }) => {
    const { clock, pass, step: set } = start();
    clock.read();
    pass(10);
    set(step);
    const reading = clock.read();
    expect(reading.trusted).toBe(trusted);
    expect(reading.mono).toBe(7_010);
    expect(Math.abs(reading.wall - at(10))).toBeLessThanOrEqual(1);
  });

  test('is suspect for as long as the clocks disagree, however long that is, and forgiven when they agree', () => {
    const { clock, pass, step } = start();
    step(-HOUR);
    for (let i = 0; i < 50; i++) {
      pass(hours(1));
      expect(clock.read()).toMatchObject({ wall: at(hours(i + 1)), trusted: false });
    }
    step(hours(1));
    expect(clock.read()).toMatchObject({ wall: at(hours(50)), trusted: true });
  });

  test('back and forth between two checks is not seen, and changes nothing', () => {
    const { clock, pass, step } = start();
    step(hours(1));
    pass(5);
    step(-HOUR);
    expect(clock.read()).toMatchObject({ wall: at(5), trusted: true });
  });

  test('of just below the tolerance, made again, is suspect', () => {
    const { clock, pass, step } = start();
    const trusted = [1, 2].map(() => {
      step(-1_900);
      pass(seconds(1));
      return clock.read().trusted;
    });
    expect(trusted).toEqual([true, false]);
  });
});

describe('drift', () => {
  test.for([SLEW, -SLEW])('of %f for five days raises no alarm, and the clock follows', (drift) => {
    const { clock, pass, wall } = start({ drift });
    for (let i = 0; i < 5 * 24 * 60; i++) {
      pass(minutes(1));
      expect(clock.read().trusted).toBe(true);
    }
    expect(Math.abs(clock.read().wall - wall())).toBeLessThan(CLOCK_TOLERANCE);
  });

  test('of an hour’s silence raises no alarm', () => {
    const { clock, pass } = start({ drift: -SLEW });
    for (let i = 0; i < 100; i++) {
      pass(hours(1));
      expect(clock.read().trusted).toBe(true);
    }
  });

  test.for([2 * SLEW, -2 * SLEW])('of %f is no healthy clock, and is suspect within hours', (drift) => {
    const { clock, pass } = start({ drift });
    const suspect = Array.from({ length: 120 }, () => {
      pass(minutes(1));
      return clock.read();
    }).findIndex((reading) => !reading.trusted);
    expect(suspect).toBeGreaterThan(10);
  });
});

test('a monotonic clock that goes back turns nothing back', () => {
  let mono = 50;
  const clock = checkedClock(
    () => T0,
    () => mono,
    NEVER,
  );
  mono = 20;
  expect(clock.read()).toEqual({ wall: T0, mono: 50, trusted: true });
});

test('instants are whole milliseconds, whatever the monotonic clock counts in', () => {
  const { clock, pass } = start();
  for (let i = 0; i < 100; i++) {
    pass(0.37);
    expect(Number.isInteger(clock.read().wall)).toBe(true);
  }
});

// What can happen to a machine: time passes, the wall clock is set a little or a lot, the service starts again.
const someEvent = fc.oneof(
  fc.record({ kind: fc.constant('pass' as const), ms: fc.integer({ min: 0, max: minutes(10) }) }),
  fc.record({ kind: fc.constant('pass' as const), ms: fc.integer({ min: 0, max: 3_000 }) }),
  fc.record({ kind: fc.constant('step' as const), ms: fc.integer({ min: -1_900, max: 1_900 }) }),
  fc.record({ kind: fc.constant('step' as const), ms: fc.integer({ min: -2 * HOUR, max: hours(2) }) }),
  fc.record({ kind: fc.constant('restart' as const), ms: fc.constant(0) }),
);
const someEvents = fc.array(someEvent, { minLength: 1, maxLength: 30 });
type Event = typeof someEvents extends fc.Arbitrary<(infer E)[]> ? E : never;

/** Trusted readings after each event, by run of the service; the mark is the latest of all. */
function live(events: readonly Event[]): Reading[][] {
  const { wall, mono, pass, step } = machine();
  let mark = NEVER;
  let clock = checkedClock(wall, mono, mark);
  const all: Reading[][] = [[]];
  for (const { kind, ms } of events) {
    if (kind === 'pass') pass(ms);
    if (kind === 'step') step(ms);
    if (kind === 'restart') {
      clock = checkedClock(wall, mono, mark);
      all.push([]);
    }
    const reading = clock.read();
    if (!reading.trusted) continue;
    mark = Math.max(mark, reading.wall) as Instant;
    all.at(-1)!.push(reading);
  }
  return all;
}

test('trusted time never goes back, restarts included (T-1)', () => {
  fc.assert(
    fc.property(someEvents, (events) => {
      const times = live(events).flatMap((run) => run.map((reading) => reading.wall));
      expect(times).toEqual(times.toSorted((a, b) => a - b));
    }),
    runs(1_000),
  );
});

test('between two trusted readings time and monotonic time differ by no more than honest drift (T-2)', () => {
  fc.assert(
    fc.property(someEvents, (events) => {
      const pairs = live(events).flatMap((run) => run.slice(1).map((reading) => [run[0]!, reading] as const));
      for (const [first, reading] of pairs) {
        const passed = reading.mono - first.mono;
        expect(Math.abs(reading.wall - first.wall - passed)).toBeLessThanOrEqual(1 + passed * SLEW);
      }
    }),
    runs(1_000),
  );
});

test('no steps below the tolerance, however many, lengthen an hour by more than the tolerance', () => {
  const someSteps = fc.array(
    fc.record({ step: fc.integer({ min: -1_900, max: 300 }), ms: fc.integer({ min: 0, max: 300_000 }) }),
    {
      minLength: 1,
      maxLength: 60,
    },
  );
  fc.assert(
    fc.property(someSteps, (steps) => {
      const { clock, pass, step } = start();
      const end = after(clock.read().wall, hours(1));
      const readings = steps.map(({ step: by, ms }) => {
        step(by);
        pass(ms);
        return clock.read();
      });
      // How long a grant of an hour has been there whenever a check could still use it.
      const ages = readings.filter(({ trusted, wall }) => trusted && wall < end).map(({ mono }) => mono - 7_000);
      expect(Math.max(0, ...ages)).toBeLessThan(HOUR + CLOCK_TOLERANCE);
    }),
    runs(500),
  );
});

test('lengths and instants are counted in milliseconds', () => {
  expect([seconds(1), minutes(1), hours(1), days(1)]).toEqual([1_000, 60_000, 3_600_000, 86_400_000]);
  expect(after(at(5), seconds(1))).toBe(at(1_005));
  expect(earliest(at(3), at(1), at(2))).toBe(at(1));
});

test('the test clock moves only when it is told to', () => {
  const clock = fakeClock(at(5));
  clock.advance(seconds(1));
  expect(clock.read()).toEqual({ wall: at(1_005), mono: at(1_005), trusted: true });
  clock.distrust();
  expect(clock.read()).toEqual({ wall: at(1_005), mono: at(1_005), trusted: false });
});
