// Plays the tour and draws docs/tour.svg, the recording in the README: what a terminal shows, line by line, as it came.
//
//     node scripts/recording.mjs
//
// What is not of interest is cut: folders from paths, and all but the first lines of a long answer.
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './prepare.mjs';

const COLUMNS = 100;
const ROWS = 24;
/** Of one answer. */
const LINES = 5;
/** Milliseconds: how long one looks at a step, and at the end of it all. */
const LOOK = 2_000;
const REST = 5_000;

const lines = await play();
if (!lines.some(({ text }) => text.includes('every step went as it should'))) {
  console.error(lines.map(({ text }) => text).join('\n'));
  console.error('the tour did not go as it should: nothing is drawn');
  process.exit(1);
}
writeFileSync(join(root, 'docs', 'tour.svg'), draw(timed(shortened(lines))));

/** Every line with the moment of its coming, in milliseconds. */
function play() {
  const child = spawn(process.execPath, [join(root, 'bin/portcullis.js'), 'demo', '--tour'], {
    env: { ...process.env, NO_COLOR: '1', COLUMNS: String(COLUMNS) },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const came = [];
  let rest = '';
  const take = (part) => {
    const parts = (rest + part).split('\n');
    rest = parts.pop();
    for (const text of parts) came.push({ at: performance.now(), text });
  };
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', take);
  return new Promise((done) => child.once('close', () => done(came)));
}

function shortened(all) {
  const kept = [];
  let answer = 0;
  for (const { at, text } of all) {
    const isNew = !text.startsWith('   ') || text.startsWith('   $');
    answer = isNew ? 0 : answer + 1;
    if (text.startsWith('ended; ')) continue;
    if (answer <= LINES) kept.push({ at, text: fitting(text.replace(/\/\S*\/portcullis-demo-\w+\//g, '')) });
    else if (answer === LINES + 1) kept.push({ at, text: '   …' });
  }
  return kept;
}

function fitting(text) {
  return text.length <= COLUMNS ? text : `${text.slice(0, COLUMNS - 1)}…`;
}

/** The tour waits for nobody; whoever looks wants to read. An empty line begins a step. */
function timed(all) {
  let before = all[0].at;
  let now = 300;
  return all.map(({ at, text }) => {
    now += Math.min(at - before, 600) + (text === '' ? LOOK : 0);
    before = at;
    return { at: now, text };
  });
}

function draw(all) {
  const length = all.at(-1).at + REST;
  const share = (at) => (at / length).toFixed(5);
  const height = 18;
  const shown = all.map(({ at, text }, i) => {
    const appears = `<animate attributeName="opacity" values="0;1" keyTimes="0;${share(at)}" calcMode="discrete" dur="${length.toFixed(0)}ms" repeatCount="indefinite"/>`;
    return text === '' ? '' : `<text y="${(i + 1) * height}" class="${kind(text)}">${escaped(text)}${appears}</text>`;
  });
  const steps = all.map(({ at }, i) => ({ at, up: Math.max(0, i + 1 - ROWS) * height }));
  const scrolls = steps.filter(({ up }, i) => i === 0 || up !== steps[i - 1].up);
  const values = scrolls.map(({ up }) => `0 ${-up}`).join(';');
  const times = scrolls.map(({ at }, i) => (i === 0 ? '0' : share(at))).join(';');
  const width = COLUMNS * 7.85 + 40;
  const bottom = ROWS * height + 40;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${bottom}" role="img" aria-labelledby="tour">
<title id="tour">The tour of npm start: alice is refused by Envoy, asks, bob approves, she is let through; a live TCP session is cut by a revoke; and when her seconds are over she is refused again.</title>
<style>text { font: 13px ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; fill: #cbd2d9; white-space: pre } .step { fill: #fff; font-weight: 700 } .command { fill: #40c3f7 } .denied { fill: #ff9b9b } .allowed { fill: #8eedc7 }</style>
<rect width="${width}" height="${bottom}" rx="10" fill="#1f2933"/>
<svg x="20" y="14" width="${width - 40}" height="${ROWS * height}"><g transform="translate(0 -5)"><g transform="translate(0 ${-steps.at(-1).up})"><animateTransform attributeName="transform" type="translate" values="${values}" keyTimes="${times}" calcMode="discrete" dur="${length.toFixed(0)}ms" repeatCount="indefinite"/>
${shown.filter(Boolean).join('\n')}
</g></g></svg>
</svg>
`;
}

function kind(text) {
  if (/^\d+\. /.test(text)) return 'step';
  if (text.startsWith('   $')) return 'command';
  if (/access denied|closed by Envoy/.test(text)) return 'denied';
  if (/hello from|approved:|is ready|every step/.test(text)) return 'allowed';
  return 'line';
}

function escaped(text) {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
