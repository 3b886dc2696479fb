// Draws docs/picture.svg, the picture of the README: who talks to whom, and what for. With --check fails when it is not current.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './prepare.mjs';

const R = 8;

const boxes = [
  { id: 'client', x: 20, y: 66, w: 150, h: 64, title: 'client', lines: ['with a certificate'] },
  { id: 'envoy', x: 290, y: 30, w: 210, h: 136, title: 'Envoy', lines: ['verifies it, asks, obeys'], strong: true },
  { id: 'guard', x: 306, y: 92, w: 178, h: 62, title: 'session guard', lines: ['knows every session'], inner: true },
  { id: 'upstream', x: 626, y: 66, w: 160, h: 64, title: 'upstream', lines: ['HTTP, gRPC, any TCP'] },
  {
    id: 'service',
    x: 290,
    y: 266,
    w: 210,
    h: 64,
    title: 'portcullis serve',
    lines: ['decides, keeps the log'],
    strong: true,
  },
  { id: 'people', x: 20, y: 266, w: 150, h: 64, title: 'people', lines: ['ask, review, revoke'] },
  { id: 'store', x: 626, y: 266, w: 160, h: 64, title: 'LMDB', lines: ['grants, locks, audit'] },
];

const arrows = [
  { from: 'client', to: 'envoy', label: 'mTLS' },
  { from: 'envoy', to: 'upstream', label: 'while a grant lasts' },
  { from: 'people', to: 'service', label: 'API, CLI' },
  { from: 'service', to: 'store', label: 'durable first' },
];

const at = (id) => boxes.find((box) => box.id === id);
const text = (x, y, kind, words) => `<text x="${x}" y="${y}" class="${kind}">${words}</text>`;

function box({ x, y, w, h, title, lines, strong, inner }) {
  const middle = x + w / 2;
  return [
    `<rect x="${x}" y="${y}" width="${w}" height="${h}" rx="${R}" class="${strong ? 'ours' : inner ? 'guard' : 'box'}"/>`,
    text(middle, y + 27, 'title', title),
    ...lines.map((line, i) => text(middle, y + 46 + i * 16, 'small', line)),
  ];
}

/** From left to right. */
function arrow({ from, to, label }) {
  const [a, b] = [at(from), at(to)];
  const y = a.h < b.h ? a.y + a.h / 2 : b.y + b.h / 2;
  const [start, end] = [a.x + a.w, b.x - 6];
  return [`<path d="M${start} ${y} H${end}" class="arrow"/>`, text((start + b.x) / 2, y - 10, 'label', label)];
}

/** Between Envoy and the service: the question down, the order to cut up to the guard. */
function exchange() {
  const [envoy, guard, service] = [at('envoy'), at('guard'), at('service')];
  const [question, order] = [envoy.x + 40, envoy.x + envoy.w - 40];
  const middle = (envoy.y + envoy.h + service.y) / 2;
  return [
    `<path d="M${question} ${envoy.y + envoy.h} V${service.y - 6}" class="arrow"/>`,
    text(question - 12, middle - 4, 'label before', 'ext_authz: may this'),
    text(question - 12, middle + 12, 'label before', 'certificate do this now?'),
    `<path d="M${order} ${service.y} V${guard.y + guard.h + 6}" class="arrow cut"/>`,
    text(order + 12, middle - 4, 'label side cutting', 'cut'),
    text(order + 12, middle + 12, 'label side', 'at a revoke, a lock, a changed policy:'),
    text(order + 12, middle + 28, 'label side', 'milliseconds; the clock needs nobody'),
  ];
}

const style = `
  text { font: 14px system-ui, sans-serif; text-anchor: middle; fill: #1f2933 }
  .title { font-weight: 600; font-size: 16px } .small { font-size: 13px; fill: #52606d }
  .label { font-size: 12px; fill: #52606d } .side { text-anchor: start } .before { text-anchor: end }
  .box { fill: #f5f7fa; stroke: #9aa5b1; stroke-width: 1.5 } .ours { fill: #e3f8ff; stroke: #0b7eb2; stroke-width: 2 }
  .guard { fill: #fff3f3; stroke: #c92a2a; stroke-width: 1.5 }
  .arrow { fill: none; stroke: #52606d; stroke-width: 1.5; marker-end: url(#head) } #head path { fill: #52606d }
  .cut { stroke: #c92a2a; stroke-width: 2; marker-end: url(#blade) } #blade path { fill: #c92a2a }
  .cutting { fill: #c92a2a; font-size: 14px; font-weight: 600 }
  @media (prefers-color-scheme: dark) {
    text { fill: #f5f7fa } .small, .label { fill: #cbd2d9 } .box { fill: #323f4b; stroke: #7b8794 }
    .ours { fill: #05334b; stroke: #40c3f7 } .arrow { stroke: #cbd2d9 } #head path { fill: #cbd2d9 }
    .guard { fill: #4a1d1d; stroke: #ff9b9b } .cut { stroke: #ff9b9b } #blade path, .cutting { fill: #ff9b9b }
  }`;

const svg = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 800 350" role="img" aria-labelledby="picture">
<title id="picture">A client connects to Envoy with a certificate; Envoy asks Portcullis whether it may do this now, and lets it through to the upstream only while a grant lasts. A session guard inside Envoy knows every session, and cuts it when the service says so or its time is over. People ask, review and revoke through the API and the command line; everything is kept in LMDB.</title>
<style>${style}
</style>
<defs><marker id="head" viewBox="0 0 10 10" refX="6" refY="5" markerWidth="7" markerHeight="7" orient="auto"><path d="M0 0 L10 5 L0 10 z"/></marker><marker id="blade" viewBox="0 0 10 10" refX="6" refY="5" markerWidth="6" markerHeight="6" orient="auto"><path d="M0 0 L10 5 L0 10 z"/></marker></defs>
${[...boxes.flatMap(box), ...arrows.flatMap(arrow), ...exchange()].join('\n')}
</svg>
`;

const target = join(root, 'docs', 'picture.svg');
if (!process.argv.includes('--check')) writeFileSync(target, svg);
else if (readFileSync(target, 'utf8') !== svg) {
  console.error('docs/picture.svg is not current: run node scripts/picture.mjs');
  process.exitCode = 1;
}
