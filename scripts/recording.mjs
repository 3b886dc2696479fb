// Plays the tour and draws docs/tour.svg, the recording in the README: what a terminal showed, up to the cut. It plays by
// CSS alone: whoever cannot or does not want to see anything move has the last frame, which holds everything.
//
//     node scripts/recording.mjs
//
// What is not of interest is left out: folders from paths, the program's own path, and all but the telling lines of answers.
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './prepare.mjs';

const COLUMNS = 106;
/** The step with which the recording ends. */
const LAST = 'and the connection with it';
/** Seconds: for each step of the recording, from its command to its answer, and how long the end is looked at. */
const STEP = 1.15;
const ANSWER = 0.45;
const REST = 9;
/** How much is seen of what is still to come: never an empty box. */
const BEFORE = 0.16;
/** Of the answer of each command, the lines that tell something. */
const TELLING = {
  curl: /^access denied|^ask for access/,
  openssl: /./,
  request: /waits for a review/,
  approve: /^approved: /,
  sessions: /./,
  revoke: /^state|^ended/,
};

const lines = await play();
if (!lines.some((text) => text.includes('every step went as it should'))) {
  console.error(lines.join('\n'));
  console.error('the tour did not go as it should: nothing is drawn');
  process.exit(1);
}
writeFileSync(join(root, 'docs', 'tour.svg'), draw(stepsIn(lines)));

function play() {
  const child = spawn(process.execPath, [join(root, 'bin/portcullis.js'), 'demo', '--tour'], {
    env: { ...process.env, NO_COLOR: '1' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let text = '';
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (part) => (text += part));
  return new Promise((done) => child.once('close', () => done(text.split('\n'))));
}

/** What stands before the first step, then each step with its command and its answer. */
function stepsIn(all) {
  const steps = [];
  for (const text of all.map(shortened)) {
    if (/^\d+\. /.test(text)) steps.push({ title: text, command: null, answer: [] });
    const step = steps.at(-1);
    if (step === undefined) continue;
    if (text.startsWith('   $ ')) step.command = text;
    else if (text.startsWith('   ') && tells(step, text)) step.answer.push(text);
  }
  return steps.slice(0, steps.findIndex(({ title }) => title.endsWith(LAST)) + 1);
}

function tells({ command }, text) {
  const [, kind] = /\$ (?:portcullis )?(\w+)/.exec(command ?? '') ?? [];
  return (TELLING[kind] ?? /./).test(text.trim());
}

function shortened(text) {
  return (
    text
      .replace(/(?:\S*\/)?node (\S*\/)?portcullis\.js /, 'portcullis ')
      .replaceAll(/\/\S*\/portcullis-demo-\w+\//g, '')
      .replace(/^( {3}(?:state|ended)) {2,}/, '$1  ')
      // The columns behind the subject.
      .replace(/ {2}(?:FROM|127\.0\.0\.1:\d+) .*$/, '')
      .trimEnd()
  );
}

function draw(steps) {
  const height = 17;
  const length = steps.length * STEP + REST;
  const frames = [];
  let row = 0;
  const print = (text, at) => {
    row += 1;
    const shown = text.length <= COLUMNS ? text : `${text.slice(0, COLUMNS - 1)}…`;
    return `<text y="${Math.round(row * height)}" class="${kind(text)}${at > 0 ? ` at${at}` : ''}">${escaped(shown)}</text>`;
  };
  const drawn = steps.flatMap(({ title, command, answer }, i) => {
    const [asked, answered] = [2 * i, 2 * i + 1];
    // The first step is there from the beginning.
    if (i > 0) frames.push([asked, i * STEP], [answered, i * STEP + ANSWER]);
    const head = [title, ...(command === null ? [] : [command])].map((text) => print(text, i === 0 ? 0 : asked));
    const tail = answer.map((text) => print(text, i === 0 ? 0 : answered));
    row += 0.45;
    return [...head, ...tail];
  });
  const share = (at) => ((100 * at) / length).toFixed(2);
  const rules = frames.map(
    ([name, at]) =>
      `@keyframes k${name} { from { opacity: ${BEFORE} } ${share(at)}% { opacity: 1 } } .at${name} { animation-name: k${name} }`,
  );
  const width = COLUMNS * 7.85 + 40;
  const bottom = row * height + 30;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width.toFixed(0)} ${bottom.toFixed(0)}" role="img" aria-labelledby="tour">
<title id="tour">The tour of npm start: Envoy refuses alice, over HTTP and over TCP; she asks, bob approves, and she is connected; carol sees the session and revokes the access; Envoy cuts the connection milliseconds later.</title>
<style>
text { font: 13px ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; fill: #cbd2d9; white-space: pre }
.step { fill: #fff; font-weight: 700 } .command { fill: #40c3f7 } .denied { fill: #ff9b9b } .allowed { fill: #8eedc7 }
@media (prefers-reduced-motion: no-preference) {
[class*=" at"] { animation: ${length.toFixed(2)}s step-end infinite }
${rules.join('\n')}
}
</style>
<rect width="${width.toFixed(0)}" height="${bottom.toFixed(0)}" rx="10" fill="#1f2933"/>
<g transform="translate(20 8)">
${drawn.join('\n')}
</g>
</svg>
`;
}

function kind(text) {
  if (/^\d+\. /.test(text)) return 'step';
  if (text.startsWith('   $')) return 'command';
  if (/access denied|closed by Envoy|revoked/.test(text)) return 'denied';
  if (/approved:|is ready/.test(text)) return 'allowed';
  return 'line';
}

function escaped(text) {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
