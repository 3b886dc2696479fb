// Draws docs/picture.svg, the picture of the README: who talks to whom, and what for. With --check fails when it is not current.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './prepare.mjs';

const BOX = { h: 64, r: 8 };

const boxes = [
  { id: 'client', x: 20, y: 40, w: 150, title: 'client', lines: ['with a certificate'] },
  { id: 'envoy', x: 300, y: 40, w: 170, title: 'Envoy', lines: ['verifies it, asks, obeys'], strong: true },
  { id: 'upstream', x: 610, y: 40, w: 170, title: 'upstream', lines: ['HTTP, gRPC, any TCP'] },
  { id: 'service', x: 300, y: 210, w: 170, title: 'portcullis serve', lines: ['decides, keeps the log'], strong: true },
  { id: 'people', x: 20, y: 210, w: 150, title: 'people', lines: ['ask, review, revoke'] },
  { id: 'store', x: 610, y: 210, w: 170, title: 'LMDB', lines: ['grants, locks, audit'] },
];

const arrows = [
  { from: 'client', to: 'envoy', label: 'mTLS' },
  { from: 'envoy', to: 'upstream', label: 'while a grant lasts' },
  { from: 'envoy', to: 'service', label: 'ext_authz: may this certificate do this now?', down: true },
  { from: 'people', to: 'service', label: 'API, CLI' },
  { from: 'service', to: 'store', label: 'durable first' },
];

const at = (id) => boxes.find((box) => box.id === id);
const text = (x, y, kind, words) => `<text x="${x}" y="${y}" class="${kind}">${words}</text>`;

function box({ x, y, w, title, lines, strong }) {
  const middle = x + w / 2;
  return [
    `<rect x="${x}" y="${y}" width="${w}" height="${BOX.h}" rx="${BOX.r}" class="${strong ? 'ours' : 'box'}"/>`,
    text(middle, y + 27, 'title', title),
    ...lines.map((line, i) => text(middle, y + 47 + i * 16, 'small', line)),
  ];
}

function arrow({ from, to, label, down }) {
  const [a, b] = [at(from), at(to)];
  if (down) {
    const x = a.x + a.w / 2;
    return [
      `<path d="M${x} ${a.y + BOX.h} V${b.y - 6}" class="arrow"/>`,
      text(x + 12, (a.y + BOX.h + b.y) / 2 + 4, 'label side', label),
    ];
  }
  const y = a.y + BOX.h / 2;
  const [start, end] = [a.x + a.w, b.x - 6];
  return [`<path d="M${start} ${y} H${end}" class="arrow"/>`, text((start + b.x) / 2, y - 10, 'label', label)];
}

const style = `
  text { font: 14px system-ui, sans-serif; text-anchor: middle; fill: #1f2933 }
  .title { font-weight: 600; font-size: 16px } .small { font-size: 13px; fill: #52606d }
  .label { font-size: 12px; fill: #52606d } .side { text-anchor: start }
  .box { fill: #f5f7fa; stroke: #9aa5b1; stroke-width: 1.5 } .ours { fill: #e3f8ff; stroke: #0b7eb2; stroke-width: 2 }
  .arrow { fill: none; stroke: #52606d; stroke-width: 1.5; marker-end: url(#head) } #head path { fill: #52606d }
  @media (prefers-color-scheme: dark) {
    text { fill: #f5f7fa } .small, .label { fill: #cbd2d9 } .box { fill: #323f4b; stroke: #7b8794 }
    .ours { fill: #05334b; stroke: #40c3f7 } .arrow { stroke: #cbd2d9 } #head path { fill: #cbd2d9 }
  }`;

const svg = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 800 300" role="img" aria-labelledby="picture">
<title id="picture">A client connects to Envoy with a certificate; Envoy asks Portcullis whether it may do this now, and lets it through to the upstream only while a grant lasts. People ask, review and revoke through the API and the command line; everything is kept in LMDB.</title>
<style>${style}
</style>
<defs><marker id="head" viewBox="0 0 10 10" refX="6" refY="5" markerWidth="7" markerHeight="7" orient="auto"><path d="M0 0 L10 5 L0 10 z"/></marker></defs>
${[...boxes.flatMap(box), ...arrows.flatMap(arrow)].join('\n')}
</svg>
`;

const target = join(root, 'docs', 'picture.svg');
if (!process.argv.includes('--check')) writeFileSync(target, svg);
else if (readFileSync(target, 'utf8') !== svg) {
  console.error('docs/picture.svg is not current: run node scripts/picture.mjs');
  process.exitCode = 1;
}
