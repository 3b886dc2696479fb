import { describe, expect, test } from 'vitest';
import { action, resource } from '../../test/builders.js';
import { parseActionPattern } from './action-pattern.js';
import { httpActions } from './http-actions.js';

const api = resource({
  actions: new Map(
    Object.entries({
      read: ['GET,HEAD /**'],
      admin: ['POST /admin/reindex', 'DELETE /invoices/*'],
      invoices: ['GET /invoices/*', 'DELETE /invoices/*'],
      live: ['UPGRADE /live/*'],
    }).map(([name, patterns]) => [action(name), patterns.map(parseActionPattern)]),
  ),
});
const ask = (line: string, upgrade = false) => {
  const [method = '', path = ''] = line.split(' ');
  return httpActions(api, { method, path, upgrade });
};

describe('a request belongs to every action that one of whose patterns matches', () => {
  test.for<[string, string[]]>([
    ['GET /', ['read']],
    ['HEAD /a/b', ['read']],
    ['GET /invoices/7', ['read', 'invoices']],
    ['GET /invoices/7?GET=/admin', ['read', 'invoices']],
    ['DELETE /invoices/7', ['admin', 'invoices']],
    ['DELETE /invoices/', []],
    ['POST /admin/reindex', ['admin']],
    ['POST /admin/Reindex', []],
    ['POST /admin/reindex/', []],
    ['PUT /a', []],
    ['get /', []],
    [' /', []],
  ])('%s: %j', ([line, actions]) => {
    expect(ask(line)).toEqual(actions);
  });
});

describe('an upgrade', () => {
  test('belongs to the actions that say UPGRADE, and to no others', () => {
    expect(ask('GET /live/7', true)).toEqual(['live']);
    expect(ask('GET /invoices/7', true)).toEqual([]);
  });

  test('is none because a client calls its method so', () => {
    expect(ask('UPGRADE /live/7')).toEqual([]);
    expect(ask('UPGRADE /live/7', true)).toEqual(['live']);
  });
});

test('of a resource without actions everything is access, upgrades too', () => {
  const plain = resource();
  expect(httpActions(plain, { method: 'BREW', path: '/pot', upgrade: false })).toEqual(['access']);
  expect(httpActions(plain, { method: 'GET', path: '/live', upgrade: true })).toEqual(['access']);
});

test.for(['//a', '/a/../b', '/a%2fb', '/a;b', '', 'a', '*', '/é'])(
  'the path %j is a deny, whatever the resource and its patterns',
  (path) => {
    for (const one of [api, resource()]) {
      expect(httpActions(one, { method: 'GET', path, upgrade: false })).toMatchObject({
        effect: 'deny',
        reason: 'malformed',
      });
    }
  },
);
