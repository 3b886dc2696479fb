import { expect, test } from 'vitest';
import { Failure } from '../failure.js';
import { environmentLayer, flagLayer, type ConnectionKey, type Layer } from './layers.js';
import { settle } from './settle.js';

type Values = Readonly<Partial<Record<ConnectionKey | 'token', string>>>;

const flags = (values: Values) => flagLayer(values, '/tmp/here');
const variables = (values: Values): Layer =>
  environmentLayer(
    Object.fromEntries(
      Object.entries(values).map(([key, value]) => [
        `PORTCULLIS_${key.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`,
        value,
      ]),
    ),
    '/tmp/here',
  );
const context = (values: Values): Layer => ({ values, nameOf: (key) => `${key} in /ctx/prod.yaml` });

/** What is settled, in a line: `https://h:1 cert=/tmp/here/a.crt token=…`. */
function settled(...layers: readonly Layer[]): string {
  const { target, pair, ca, token } = settle(layers);
  const parts = [
    target.kind === 'url' ? target.url.origin : `unix:${target.path}`,
    pair && `cert=${pair.cert.value} key=${pair.key.value}`,
    ca && `ca=${ca.value}`,
    token && (token.kind === 'file' ? `token-file=${token.value}` : `token=${token.value}`),
  ];
  return parts.filter(Boolean).join(' ');
}

test.for<[string, readonly Layer[], string]>([
  ['nothing at all', [], 'https://127.0.0.1:8180'],
  ['a flag beats a variable', [flags({ url: 'https://a' }), variables({ url: 'https://b' })], 'https://a'],
  [
    'a variable beats the context',
    [flags({}), variables({ url: 'https://b' }), context({ url: 'https://c' })],
    'https://b',
  ],
  ['the context beats the default', [flags({}), variables({}), context({ url: 'https://c:444' })], 'https://c:444'],
  ['an empty variable says nothing', [variables({ url: '' }), context({ url: 'https://c' })], 'https://c'],
  [
    'paths are relative to the folder one is in',
    [flags({ ca: './ca.crt' })],
    'https://127.0.0.1:8180 ca=/tmp/here/ca.crt',
  ],
  [
    'each setting has its own nearest layer',
    [flags({ cert: 'a.crt' }), variables({ key: 'a.key', ca: '/ca' })],
    'https://127.0.0.1:8180 cert=/tmp/here/a.crt key=/tmp/here/a.key ca=/ca',
  ],
  [
    'a socket given nearer replaces the address',
    [flags({ adminSocket: 's' }), context({ url: 'https://c', ca: '/x' })],
    'unix:/tmp/here/s',
  ],
  [
    'an address given nearer replaces the socket',
    [flags({ url: 'https://a' }), context({ adminSocket: '/s' })],
    'https://a',
  ],
  [
    'credentials for an address do not go to a socket',
    [flags({ adminSocket: '/s' }), variables({ token: 't', cert: '/c', key: '/k' })],
    'unix:/s',
  ],
  [
    'a certificate given nearer replaces a token',
    [flags({ cert: '/c', key: '/k' }), variables({ token: 't' })],
    'https://127.0.0.1:8180 cert=/c key=/k',
  ],
  [
    'a token given nearer replaces a certificate',
    [flags({ tokenFile: '/t' }), context({ cert: '/c', key: '/k' })],
    'https://127.0.0.1:8180 token-file=/t',
  ],
  [
    'a token given nearer replaces even half a pair',
    [flags({ tokenFile: '/t' }), variables({ cert: '/c' })],
    'https://127.0.0.1:8180 token-file=/t',
  ],
  [
    'given together both are sent: the service compares them',
    [context({ cert: '/c', key: '/k', tokenFile: '/t' })],
    'https://127.0.0.1:8180 cert=/c key=/k token-file=/t',
  ],
  ['a token in a variable', [variables({ token: 'pcs_x' })], 'https://127.0.0.1:8180 token=pcs_x'],
  [
    'a token file as a flag beats a token in a variable',
    [flags({ tokenFile: '/t' }), variables({ token: 'x' })],
    'https://127.0.0.1:8180 token-file=/t',
  ],
  ['plain http on this machine', [flags({ url: 'http://127.1.2.3:8180' })], 'http://127.1.2.3:8180'],
  ['plain http by name', [flags({ url: 'http://localhost:1' })], 'http://localhost:1'],
  ['plain http over IPv6', [flags({ url: 'http://[::1]:1' })], 'http://[::1]:1'],
  ['a trailing slash', [flags({ url: 'https://a.example/' })], 'https://a.example'],
])('%s', ([, layers, want]) => {
  expect(settled(...layers)).toBe(want);
});

test.for<[string, readonly Layer[], string]>([
  [
    'no address',
    [flags({ url: 'nowhere' })],
    '--url: expected an address such as https://127.0.0.1:8180, got "nowhere"',
  ],
  ['another protocol', [variables({ url: 'ftp://a' })], 'PORTCULLIS_URL: expected an address'],
  ['a path behind the address', [flags({ url: 'https://a/v1' })], 'expected an address'],
  ['a query behind the address', [flags({ url: 'https://a/?x' })], 'expected an address'],
  ['a password in the address', [flags({ url: 'https://u:p@a' })], 'expected an address'],
  [
    'plain http to elsewhere',
    [context({ url: 'http://10.0.0.1' })],
    'url in /ctx/prod.yaml: expected https, got "http://10.0.0.1"',
  ],
  [
    'plain http to a name that begins like this machine',
    [flags({ url: 'http://localhost.evil.example' })],
    'expected https',
  ],
  [
    'plain http to a host that begins like loopback',
    [flags({ url: 'http://127.0.0.1.evil.example' })],
    'expected https',
  ],
  [
    'a certificate over plain http',
    [flags({ url: 'http://127.0.0.1:1', cert: '/c', key: '/k' })],
    'a client certificate needs https',
  ],
  ['a certificate without its key', [flags({ cert: '/c' })], '--cert is of no use alone'],
  ['a key without its certificate', [variables({ key: '/k' })], 'PORTCULLIS_KEY is of no use alone'],
  [
    'address and socket from one source',
    [flags({ url: 'https://a', adminSocket: '/s' })],
    '--url and --admin-socket exclude each other',
  ],
  [
    'token and token file from one source',
    [variables({ token: 'x', tokenFile: '/t' })],
    'PORTCULLIS_TOKEN_FILE and PORTCULLIS_TOKEN exclude each other',
  ],
  [
    'socket and credentials from one source',
    [context({ adminSocket: '/s', tokenFile: '/t' })],
    'adminSocket in /ctx/prod.yaml and tokenFile in /ctx/prod.yaml exclude each other',
  ],
])('%s is refused', ([, layers, message]) => {
  expect(() => settle(layers)).toThrow(Failure);
  expect(() => settle(layers)).toThrow(message);
});
